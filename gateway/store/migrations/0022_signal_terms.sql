-- Terms of signals: within which their receiver says that there was a first conversation or what came of it. Times and places
-- in the log; no personal data.
CREATE TABLE signal_term (
    idx     INTEGER PRIMARY KEY REFERENCES message,
    -- Not NULL while this node has not looked at it since something changed, and how often that was.
    to_do   INTEGER,
    changes INTEGER NOT NULL DEFAULT 0,
    -- The end and when to remind of it: once known they never change. NULL while the signal was not admitted, and when its
    -- purpose sets no term.
    respond_before INTEGER,
    remind_at      INTEGER,
    -- When feedback met it.
    met       INTEGER,
    -- When this node looks again because the term comes to its reminder or its end.
    due       INTEGER,
    -- When this node told of it.
    reminded  INTEGER,
    escalated INTEGER
) STRICT;
CREATE INDEX signal_term_to_do ON signal_term (idx) WHERE to_do IS NOT NULL;
CREATE INDEX signal_term_due ON signal_term (due, idx) WHERE due IS NOT NULL;
CREATE INDEX signal_term_running ON signal_term (respond_before, idx) WHERE respond_before IS NOT NULL AND met IS NULL;

-- Feedback that meets the term of a signal, at the instant in its identifier. It counts as long as it was not refused or given up.
CREATE TABLE signal_feedback (
    idx    INTEGER PRIMARY KEY REFERENCES message,
    signal INTEGER NOT NULL REFERENCES signal_term,
    at     INTEGER NOT NULL
) STRICT;
CREATE INDEX signal_feedback_of ON signal_feedback (signal);

-- Up to which place in the log signals and feedback were looked at. One row.
CREATE TABLE signal_term_state (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    done INTEGER NOT NULL
) STRICT;
INSERT INTO signal_term_state (one, done) VALUES (1, 0);

-- A signal was admitted, or feedback on one reached its receiver or did not: looked at again.
CREATE TRIGGER signal_term_of_state AFTER UPDATE OF state ON message
WHEN new.direction = 0 AND new.state <> old.state
BEGIN
    UPDATE signal_term SET to_do = 1, changes = changes + 1
    WHERE idx = new.idx OR idx = (SELECT f.signal FROM signal_feedback f WHERE f.idx = new.idx);
END;

-- Events: 5 this node reminded of a term, 6 it escalated one.
CREATE TRIGGER event_of_reminder AFTER UPDATE OF reminded ON signal_term
WHEN new.reminded IS NOT NULL AND old.reminded IS NULL AND (SELECT kept FROM event_use) = 1
BEGIN
    INSERT INTO event (kind, at, idx) VALUES (5, new.reminded, new.idx);
END;

CREATE TRIGGER event_of_escalation AFTER UPDATE OF escalated ON signal_term
WHEN new.escalated IS NOT NULL AND old.escalated IS NULL AND (SELECT kept FROM event_use) = 1
BEGIN
    INSERT INTO event (kind, at, idx) VALUES (6, new.escalated, new.idx);
END;
