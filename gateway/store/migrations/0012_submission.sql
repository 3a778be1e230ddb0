-- What systems of the organisation handed over by the local API.

-- Which system handed over which message. The system by a keyed hash of its name.
CREATE TABLE submission (
    client BLOB NOT NULL,
    idx    INTEGER NOT NULL REFERENCES message,
    PRIMARY KEY (client, idx)
) STRICT, WITHOUT ROWID;

-- What was answered to a request with a key of its own (Idempotency-Key), for as long as it may come again.
CREATE TABLE submission_answer (
    num     INTEGER PRIMARY KEY,
    -- Keyed hashes: of who asked and the key it gave, and of what it handed over.
    key     BLOB NOT NULL UNIQUE,
    content BLOB NOT NULL,
    -- Identifiers, codes and places of fields; nothing of what was handed over.
    answer  TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX submission_answer_age ON submission_answer (created);
