-- How often something changed in a case: a message more, or one that was refused or given up. Who looked at a case says how
-- often that was; when it is more by then, it is looked at again.
ALTER TABLE handover ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
