-- The extract of each version of a consent, by which its record can be held against the log: the log has the digest of
-- that. NULL for what was recorded before. Says who it is about behind a salt only.
ALTER TABLE consent_record ADD COLUMN extract TEXT;

-- By what an access is found, for who checks that it still is.
CREATE INDEX access_subject_of ON access_subject (access);
CREATE INDEX access_message_of ON access_message (access);
