-- The extract of each version of a consent, by which its record can be held against the log: the log has the digest of
-- that. NULL for what was recorded before. Says who it is about behind a salt only.
ALTER TABLE consent_record ADD COLUMN extract TEXT;
