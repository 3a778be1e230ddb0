-- By what the resident of a message is found: half of an HMAC over the normalised number, and over the date of birth
-- with the address. Keyed and salted, so that nobody can guess persons from it; NULL when the message is about nobody,
-- or was erased.
ALTER TABLE message ADD COLUMN subject_bsn BLOB;
ALTER TABLE message ADD COLUMN subject_place BLOB;

-- The same, with half of each message's case, sorted, in runs of 4096 places in the log. A run is written once, at the end of the table: inserting each
-- token at its random place would cost a page for every message.
CREATE TABLE subject (
    run   INTEGER NOT NULL,
    token BLOB NOT NULL,
    idx   INTEGER NOT NULL REFERENCES message,
    PRIMARY KEY (run, token, idx)
) STRICT, WITHOUT ROWID;

-- The same for the records of consents: by what the resident of one is found. There are few, added by hand.
CREATE TABLE consent_subject (
    token  BLOB NOT NULL,
    record INTEGER NOT NULL REFERENCES consent_record,
    PRIMARY KEY (token, record)
) STRICT, WITHOUT ROWID;

-- How far that is. One row.
CREATE TABLE subject_state (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    -- Makes the tokens of this database other than those of any other.
    salt    BLOB NOT NULL,
    -- The number of runs that were written.
    runs    INTEGER NOT NULL,
    -- Messages from before this table existed have no tokens from `filled` up to `fill_to`.
    filled  INTEGER NOT NULL,
    fill_to INTEGER NOT NULL
) STRICT;

INSERT INTO subject_state (one, salt, runs, filled, fill_to)
SELECT 1, randomblob(32), 0, 0, size FROM log_state;

-- Who saw, looked for, took out or decided something, sealed; what the log says of it is a digest. In the order of the log.
CREATE TABLE access (
    idx    INTEGER PRIMARY KEY REFERENCES log_leaf,
    sealed BLOB NOT NULL
) STRICT;

-- The messages that were shown.
CREATE TABLE access_message (
    message INTEGER NOT NULL REFERENCES message,
    access  INTEGER NOT NULL REFERENCES access,
    PRIMARY KEY (message, access)
) STRICT, WITHOUT ROWID;

-- The person that was looked for, as tokens.
CREATE TABLE access_subject (
    token  BLOB NOT NULL,
    access INTEGER NOT NULL REFERENCES access,
    PRIMARY KEY (token, access)
) STRICT, WITHOUT ROWID;
