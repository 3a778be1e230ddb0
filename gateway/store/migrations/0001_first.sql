-- What a node remembers. DATA_MODEL.md tells the story of these tables.

-- 'SCHK': recognises our own files.
PRAGMA application_id = 0x5343484B;

-- Whose database this is. One row.
CREATE TABLE node (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    oin      TEXT NOT NULL,
    key_mark BLOB NOT NULL,
    -- Changes with every change to partners and agreements.
    rules    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The Merkle log: how far it is. One row, read at the start of each transaction and written at its end.
CREATE TABLE log_state (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    size            INTEGER NOT NULL,
    -- The compact range: the roots of the perfect subtrees, largest first, 32 bytes each.
    roots           BLOB NOT NULL,
    -- The last checkpoint that was asked for, and the size it covers.
    checkpoint      TEXT,
    checkpoint_size INTEGER
) STRICT;

INSERT INTO log_state (one, size, roots) VALUES (1, 0, x'');

CREATE TABLE log_leaf (
    idx  INTEGER PRIMARY KEY,
    leaf BLOB NOT NULL
) STRICT;

-- Up to 256 consecutive hashes of level 8 * (num % 8), the first at 256 * (num / 8).
CREATE TABLE log_tile (
    num    INTEGER PRIMARY KEY,
    hashes BLOB NOT NULL
) STRICT;

-- Small numbers for names that come back in every row.
CREATE TABLE word (
    num  INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- Everyone with whom something was exchanged.
CREATE TABLE party (
    num             INTEGER PRIMARY KEY,
    oin             TEXT NOT NULL UNIQUE,
    last_contact    INTEGER,
    last_failure    INTEGER,
    failure         TEXT,
    failures        INTEGER NOT NULL DEFAULT 0,
    next_attempt    INTEGER,
    checkpoint      TEXT,
    checkpoint_size INTEGER
) STRICT;

-- The data key of a case, wrapped. NULL once the case was erased.
CREATE TABLE case_key (
    "case"  BLOB PRIMARY KEY,
    wrapped BLOB,
    erased  INTEGER
) STRICT, WITHOUT ROWID;

-- What partners answered to a delivery, one row for each.
CREATE TABLE receipt (
    num      INTEGER PRIMARY KEY,
    party    INTEGER NOT NULL REFERENCES party,
    content  TEXT NOT NULL,
    received INTEGER NOT NULL
) STRICT;

CREATE TABLE message (
    idx       INTEGER PRIMARY KEY REFERENCES log_leaf,
    -- 0 outbound, 1 inbound
    direction INTEGER NOT NULL,
    party     INTEGER NOT NULL REFERENCES party,
    id        BLOB,
    "case"    BLOB,
    type      INTEGER REFERENCES word,
    purpose   INTEGER REFERENCES word,
    agreement INTEGER REFERENCES word,
    digest    BLOB NOT NULL,
    -- 0 waiting, 1 admitted, 2 refused, 3 undeliverable
    state     INTEGER NOT NULL,
    reason    INTEGER REFERENCES word,
    created   INTEGER NOT NULL,
    expires   INTEGER,
    finished  INTEGER,
    -- The length of the signed message.
    bytes     INTEGER NOT NULL,
    desk      TEXT,
    -- 0 first, 1 normal
    priority  INTEGER,
    -- Set while the message waits: the size of the log when it was put in the queue.
    queued    INTEGER,
    receipt   INTEGER REFERENCES receipt
) STRICT;

-- Recognises what was received before. The identifier goes first: identifiers are in the order of time, so new rows
-- land together, whoever they come from.
CREATE UNIQUE INDEX message_id ON message (id, party, direction) WHERE id IS NOT NULL;
-- What waits, in the order in which it goes, and until when.
CREATE INDEX message_queue ON message (party, priority, queued, idx, expires) WHERE queued IS NOT NULL;
-- What people look for among very many.
CREATE INDEX message_stuck ON message (state, idx) WHERE state >= 2;

-- The signed message, sealed under the key of its case.
CREATE TABLE payload (
    idx    INTEGER PRIMARY KEY REFERENCES message,
    sealed BLOB NOT NULL
) STRICT;

-- Rows of sources that were offered before.
CREATE TABLE intake (
    key BLOB PRIMARY KEY,
    idx INTEGER NOT NULL REFERENCES message
) STRICT, WITHOUT ROWID;

-- How many messages there are of each kind.
CREATE TABLE tally (
    party     INTEGER NOT NULL REFERENCES party,
    direction INTEGER NOT NULL,
    state     INTEGER NOT NULL,
    -- 0: no reason
    reason    INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (party, direction, state, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE partner (
    party      INTEGER PRIMARY KEY REFERENCES party,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    descriptor TEXT NOT NULL,
    added      INTEGER NOT NULL
) STRICT;

CREATE TABLE agreement (
    num     INTEGER PRIMARY KEY,
    digest  BLOB NOT NULL UNIQUE,
    content TEXT NOT NULL,
    added   INTEGER NOT NULL
) STRICT;

CREATE TABLE agreement_purpose (
    agreement INTEGER NOT NULL REFERENCES agreement,
    position  INTEGER NOT NULL,
    digest    BLOB NOT NULL,
    content   TEXT NOT NULL,
    PRIMARY KEY (agreement, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer (
    num       INTEGER PRIMARY KEY,
    agreement INTEGER NOT NULL REFERENCES agreement,
    party     INTEGER NOT NULL REFERENCES party,
    jws       TEXT NOT NULL,
    UNIQUE (agreement, jws)
) STRICT;

-- Who must still be told of an answer.
CREATE TABLE notice (
    num    INTEGER PRIMARY KEY,
    answer INTEGER NOT NULL REFERENCES answer,
    party  INTEGER NOT NULL REFERENCES party,
    UNIQUE (answer, party)
) STRICT;
