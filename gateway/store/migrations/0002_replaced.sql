-- A row of a source that was offered again makes a new message when the one it had was refused or could not be
-- delivered. The old one is then replaced, and is not sent again: one of the two is enough.
ALTER TABLE message ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0;
