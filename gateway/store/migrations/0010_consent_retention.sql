-- How long after the end of its consent a version of the record is kept, in days, as its purposes said when it was made.
-- Those from before this column: five years, as where no purpose says anything.
ALTER TABLE consent_record ADD COLUMN keep_days INTEGER NOT NULL DEFAULT 1826;

-- Whom an erased entry was about, sealed as records of processings name a resident, until the collector has those that say
-- that it was erased. Nothing while there is no collector.
CREATE TABLE erased_subject (
    idx      INTEGER PRIMARY KEY REFERENCES log_leaf,
    -- Written at the end of the same transaction.
    evidence INTEGER NOT NULL REFERENCES log_leaf DEFERRABLE INITIALLY DEFERRED,
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL
) STRICT;
