-- How often something changed in a case: a message more, or one that was refused or given up. Who looked at a case says how
-- often that was; when it is more by then, it is looked at again.
ALTER TABLE handover ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;

-- When the node looks at the case again because a term comes to its reminder or its end. It follows from the messages.
ALTER TABLE handover ADD COLUMN due INTEGER;

CREATE INDEX handover_due ON handover (due, "case") WHERE due IS NOT NULL;

-- Of cases from before this it is not known yet.
UPDATE handover SET to_do = 1;

-- From which entry of the log on every message of a handover has its step: what came before that was from before there were
-- any.
CREATE TABLE handover_state (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    since INTEGER NOT NULL
) STRICT;

INSERT INTO handover_state
SELECT 1, coalesce((SELECT min(idx) FROM handover_step), (SELECT size FROM log_state), 0);

-- That this node told of a term, so that it does so once. When that was due follows from the messages.
CREATE TABLE handover_notice (
    "case" BLOB NOT NULL REFERENCES handover,
    -- The message that set the term.
    set_by BLOB NOT NULL,
    -- 0 a reminder, 1 an escalation
    kind   INTEGER NOT NULL,
    -- When it was told.
    told   INTEGER NOT NULL,
    PRIMARY KEY ("case", set_by, kind)
) STRICT, WITHOUT ROWID;
