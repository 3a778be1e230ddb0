-- What happened here that the organisation's own systems want to know, and what they were told of it. Identifiers, states and
-- moments; no personal data.

-- Whether events are kept: only while there is somebody who may want them.
CREATE TABLE event_use (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    kept INTEGER NOT NULL
) STRICT;

INSERT INTO event_use (one, kept) VALUES (1, 0);

-- Written by triggers: whatever makes the change, its event is in the same transaction. Numbers are never used again.
CREATE TABLE event (
    num     INTEGER PRIMARY KEY AUTOINCREMENT,
    -- 0 a message was admitted, 1 one that was sent was refused, 2 or could not be delivered, 3 a handover changed, 4 a consent
    -- was withdrawn
    kind    INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    idx     INTEGER REFERENCES message,
    consent INTEGER REFERENCES consent,
    reason  INTEGER REFERENCES word
) STRICT;

CREATE TRIGGER event_of_message AFTER INSERT ON message
WHEN (new.step IS NOT NULL OR (new.direction = 1 AND new.state = 1)) AND (SELECT kept FROM event_use) = 1
BEGIN
    INSERT INTO event (kind, at, idx)
    SELECT 0, coalesce(new.finished, new.created), new.idx WHERE new.direction = 1 AND new.state = 1;
    INSERT INTO event (kind, at, idx)
    SELECT 3, coalesce(new.finished, new.created), new.idx WHERE new.step IS NOT NULL;
END;

CREATE TRIGGER event_of_ending AFTER UPDATE OF state ON message
WHEN new.state >= 2 AND new.state <> old.state AND new.direction = 0 AND (SELECT kept FROM event_use) = 1
BEGIN
    INSERT INTO event (kind, at, idx, reason)
    VALUES (new.state - 1, coalesce(new.finished, new.created), new.idx, new.reason);
    -- What its receiver did not take is not said.
    INSERT INTO event (kind, at, idx)
    SELECT 3, coalesce(new.finished, new.created), new.idx WHERE new.step IS NOT NULL;
END;

CREATE TRIGGER event_of_new_withdrawal AFTER INSERT ON consent
WHEN new.state = 1 AND (SELECT kept FROM event_use) = 1
BEGIN
    INSERT INTO event (kind, at, consent) VALUES (4, coalesce(new.ended, 0), new.num);
END;

CREATE TRIGGER event_of_withdrawal AFTER UPDATE OF state ON consent
WHEN new.state = 1 AND old.state <> 1 AND (SELECT kept FROM event_use) = 1
BEGIN
    INSERT INTO event (kind, at, consent) VALUES (4, coalesce(new.ended, 0), new.num);
END;

-- How far a system that is told of events is.
CREATE TABLE webhook (
    name         TEXT PRIMARY KEY,
    -- The first event that it was not told, and that was not put aside.
    next         INTEGER NOT NULL,
    -- How often telling that one failed, and when it is tried again.
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER,
    told         INTEGER NOT NULL DEFAULT 0,
    last_success INTEGER,
    last_failure INTEGER,
    failure      TEXT,
    -- When it was stopped; NULL while it is told.
    stopped      INTEGER
) STRICT, WITHOUT ROWID;

-- An event that a system did not take.
CREATE TABLE dead_letter (
    num      INTEGER PRIMARY KEY AUTOINCREMENT,
    hook     TEXT NOT NULL REFERENCES webhook,
    event    INTEGER NOT NULL REFERENCES event,
    failure  TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    -- Not NULL while somebody wants it tried once more.
    again    INTEGER
) STRICT;

CREATE INDEX dead_letter_of_hook ON dead_letter (hook, num);
CREATE INDEX dead_letter_of_event ON dead_letter (event);
