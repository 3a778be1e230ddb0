-- What is sealed from now on has a key for each entry of the log, in a file outside the database, and can be erased by
-- itself.

-- By what the key file is recognised; NULL until there is one.
ALTER TABLE node ADD COLUMN key_file BLOB;
-- The version of that file in which the keys of all that was erased were destroyed. An older one is an old copy.
ALTER TABLE node ADD COLUMN key_version INTEGER NOT NULL DEFAULT 0;

-- Until when the purpose allows it to be kept; NULL for what is not kept. For what is there already it follows from the
-- text of the purpose: counted from when it came in, or was made to be sent.
ALTER TABLE message ADD COLUMN keep_until INTEGER;
UPDATE message SET keep_until = iif(direction = 1, finished, created) + 86400000000 * (
    SELECT min(iif(json_valid(p.content), json_extract(p.content, '$.bewaartermijn_dagen'), NULL))
    FROM agreement a JOIN agreement_purpose p ON p.agreement = a.num
    WHERE 'sha256:' || lower(hex(a.digest)) = (SELECT text FROM word WHERE num = message.agreement)
    AND iif(json_valid(p.content), json_extract(p.content, '$.doel'), NULL)
        = (SELECT text FROM word WHERE num = message.purpose)
);
-- Where the log says that it was erased.
ALTER TABLE message ADD COLUMN erased INTEGER;

-- 0: sealed under the key of its case, by an earlier version; 1: under the key of its entry.
ALTER TABLE payload ADD COLUMN form INTEGER NOT NULL DEFAULT 0;

-- Entries that were erased and whose keys may not be destroyed yet: a crash came between.
CREATE TABLE erasing (
    idx INTEGER PRIMARY KEY
) STRICT;
