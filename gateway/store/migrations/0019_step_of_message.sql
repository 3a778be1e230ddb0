-- What a message does in the handover of its case (JSON) stands with the message, and is found by the case. Kept apart it cost a
-- row, and looking up the message and the case, for every message.
ALTER TABLE message ADD COLUMN step TEXT;

UPDATE message SET step = s.step FROM handover_step s WHERE s.idx = message.idx;

DROP TABLE handover_step;

CREATE INDEX message_step ON message ("case", idx) WHERE step IS NOT NULL;
