-- Signals of several senders about one resident or household. All of it follows from content that is here, and goes with it.

-- By what a signal is found that may be about the same: half of an HMAC, as in `subject`.
CREATE TABLE signal_token (
    token BLOB NOT NULL,
    idx   INTEGER NOT NULL REFERENCES message,
    party INTEGER NOT NULL,
    PRIMARY KEY (token, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX signal_token_of ON signal_token (idx);

-- Up to which place in the log signals were held against those before them. One row.
CREATE TABLE signal_state (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    done INTEGER NOT NULL
) STRICT;
INSERT INTO signal_state (one, done) VALUES (1, 0);

-- Signals that belong together. One that has them of more than one sender is a `meervoudig signaal`. Numbers are not used
-- again: people write them down.
CREATE TABLE multiple (
    num  INTEGER PRIMARY KEY AUTOINCREMENT,
    made INTEGER NOT NULL
) STRICT;

CREATE TABLE multiple_signal (
    idx      INTEGER PRIMARY KEY REFERENCES message,
    multiple INTEGER NOT NULL REFERENCES multiple,
    joined   INTEGER NOT NULL,
    -- The access of whoever joined it; NULL when nothing differed and it joined by itself.
    access   INTEGER REFERENCES access
) STRICT;
CREATE INDEX multiple_signals ON multiple_signal (multiple);

-- Two signals of which a person decides or decided whether they belong together.
CREATE TABLE signal_pair (
    lower   INTEGER NOT NULL REFERENCES message,
    higher  INTEGER NOT NULL REFERENCES message,
    -- 0 open, 1 joined, 2 kept apart.
    state   INTEGER NOT NULL,
    clues   INTEGER NOT NULL,
    made    INTEGER NOT NULL,
    -- The access of whoever decided.
    access  INTEGER REFERENCES access,
    PRIMARY KEY (lower, higher)
) STRICT, WITHOUT ROWID;
CREATE INDEX signal_pair_higher ON signal_pair (higher);
CREATE INDEX signal_pair_open ON signal_pair (higher, lower) WHERE state = 0;
