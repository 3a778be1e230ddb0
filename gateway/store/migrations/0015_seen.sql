-- When the node of a partner last showed this descriptor, or somebody brought it.
ALTER TABLE partner ADD COLUMN seen INTEGER;
UPDATE partner SET seen = added;
