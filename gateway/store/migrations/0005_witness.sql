-- Watching logs: who saw which log grow to which checkpoint, each not less than the one before.

-- A checkpoint with the cosignature of one witness: this node's over the log of a partner, which is then also the last
-- that was verified of it, and those of partners over the log of this node.
CREATE TABLE cosigned (
    -- Whose log.
    log     INTEGER NOT NULL REFERENCES party,
    witness INTEGER NOT NULL REFERENCES party,
    -- The key of the log (C2SP vkey): under another key a log begins anew.
    key     TEXT NOT NULL,
    size    INTEGER NOT NULL,
    note    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (log, witness, key, size)
) STRICT, WITHOUT ROWID;

-- A log that contradicts what it signed, with the evidence.
CREATE TABLE alarm (
    -- Where our own log says so.
    idx       INTEGER PRIMARY KEY REFERENCES log_leaf,
    log       INTEGER NOT NULL REFERENCES party,
    key       TEXT NOT NULL,
    -- The size of the checkpoint that was verified before.
    kept_size INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    evidence  TEXT NOT NULL,
    noticed   INTEGER NOT NULL,
    -- Asked again and again, it is the same contradiction.
    UNIQUE (log, key, kept_size, kind)
) STRICT;

-- An alarm is not dismissed, by nobody.
CREATE TRIGGER alarm_is_not_removed BEFORE DELETE ON alarm
BEGIN
    SELECT RAISE(ABORT, 'an alarm is not removed');
END;

CREATE TRIGGER alarm_is_not_changed BEFORE UPDATE ON alarm
BEGIN
    SELECT RAISE(ABORT, 'an alarm is not changed');
END;
