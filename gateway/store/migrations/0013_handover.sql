-- Cases that are or were handed over. What a message does in a handover is kept apart from its text, which is erased in time:
-- who holds the case must be known for as long as it matters. No personal data: identifiers, times and codes.
CREATE TABLE handover (
    "case" BLOB PRIMARY KEY,
    -- How many messages it has; who decided about one more must have known them all.
    steps  INTEGER NOT NULL,
    -- Not NULL while this node has not looked at it since something changed.
    to_do  INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX handover_to_do ON handover ("case") WHERE to_do IS NOT NULL;

CREATE TABLE handover_step (
    "case" BLOB NOT NULL REFERENCES handover,
    idx    INTEGER NOT NULL REFERENCES message,
    -- What the message does, JSON.
    step   TEXT NOT NULL,
    PRIMARY KEY ("case", idx)
) STRICT, WITHOUT ROWID;
