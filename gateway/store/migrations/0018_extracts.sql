-- Extracts that messages here carried and that are not the newest of their consent: the log names the one that a message had.
CREATE TABLE consent_extract (
    consent INTEGER NOT NULL REFERENCES consent,
    -- SHA-256 of the extract.
    digest  BLOB NOT NULL,
    extract TEXT NOT NULL,
    PRIMARY KEY (consent, digest)
) STRICT, WITHOUT ROWID;
