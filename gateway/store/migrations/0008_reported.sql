-- The message that tells the holder of a consent that its resident withdrew it here. It is made again when it was refused or
-- given up and the holder did not sign the withdrawal.
ALTER TABLE consent ADD COLUMN reported_by INTEGER REFERENCES message;
-- When this organisation withdrew it, as its holder: `ended` may be what a partner said.
ALTER TABLE consent ADD COLUMN withdrawn INTEGER;
CREATE INDEX consent_reported ON consent (num) WHERE reported IS NOT NULL;
-- When a confirmation came in. `confirmed` is what its sender says, so that of two the later counts by one clock.
ALTER TABLE consent_notice ADD COLUMN heard INTEGER;
