-- Consents that messages here rely on, or that were recorded here. No personal data: numbers are random, and extracts
-- say who it is about behind a salt.
CREATE TABLE consent (
    num         INTEGER PRIMARY KEY,
    id          BLOB NOT NULL,
    -- Who asked for it and keeps the record.
    holder      INTEGER NOT NULL REFERENCES party,
    -- The newest extract seen, and until when the consent holds by it. NULL when only its withdrawal came.
    extract     TEXT,
    valid_until INTEGER,
    -- 0 in force, 1 withdrawn, 2 expired
    state       INTEGER NOT NULL DEFAULT 0,
    -- When the resident withdrew it, or when it ran out.
    ended       INTEGER,
    -- The withdrawal as the holder signed it.
    statement   TEXT,
    -- The message that brought the withdrawal.
    told_by     INTEGER REFERENCES message,
    -- When the resident withdrew it at another organisation than its holder: as a partner said to the holder, or as this
    -- organisation said to it. Nothing new rests on it from then on; the holder signs the withdrawal.
    reported    INTEGER,
    -- The basis on which something that came under it is kept after its end, JSON.
    kept        TEXT,
    -- The message that tells the holder what was done here.
    told_holder INTEGER REFERENCES message,
    -- Not NULL while this node has something left to do about it.
    to_do       INTEGER,
    UNIQUE (id, holder)
) STRICT;

CREATE INDEX consent_to_do ON consent (num) WHERE to_do IS NOT NULL;
CREATE INDEX consent_end ON consent (valid_until) WHERE state = 0;

-- What the holder keeps of it: every version, sealed under the key of its log entry.
CREATE TABLE consent_record (
    idx     INTEGER PRIMARY KEY REFERENCES log_leaf,
    consent INTEGER NOT NULL REFERENCES consent,
    sealed  BLOB NOT NULL
) STRICT;

CREATE INDEX consent_record_of ON consent_record (consent, idx);

-- Which organisation was told of the end, and what it said it did.
CREATE TABLE consent_notice (
    consent   INTEGER NOT NULL REFERENCES consent,
    party     INTEGER NOT NULL REFERENCES party,
    -- The message that tells it; NULL when another organisation does.
    message   INTEGER REFERENCES message,
    -- Who passed the data, and the withdrawal, on to it.
    via       INTEGER REFERENCES party,
    confirmed INTEGER,
    done      TEXT,
    -- The basis on which it keeps something, JSON.
    kept      TEXT,
    PRIMARY KEY (consent, party)
) STRICT, WITHOUT ROWID;

ALTER TABLE message ADD COLUMN consent INTEGER REFERENCES consent;
-- Not NULL once the consent ended and the message is kept on another basis.
ALTER TABLE message ADD COLUMN released INTEGER;
CREATE INDEX message_consent ON message (consent, idx) WHERE consent IS NOT NULL;
