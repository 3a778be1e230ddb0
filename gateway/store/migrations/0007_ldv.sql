-- Exporting records of processings (Logboek Dataverwerkingen) to a collector. The records themselves are not here: they
-- follow from the log and the messages.
CREATE TABLE export (
    -- One row.
    num          INTEGER PRIMARY KEY CHECK (num = 0),
    -- The first entry of the log that was not exported as a whole.
    next         INTEGER NOT NULL,
    -- How many records the collector confirmed, and how many of those it says it did not take.
    records      INTEGER NOT NULL,
    rejected     INTEGER NOT NULL,
    last_success INTEGER,
    last_failure INTEGER,
    -- NULL when it did not fail since.
    failure      TEXT,
    failures     INTEGER NOT NULL
) STRICT;
INSERT INTO export (num, next, records, rejected, failures) VALUES (0, 0, 0, 0, 0);
