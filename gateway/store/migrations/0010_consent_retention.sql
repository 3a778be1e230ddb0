-- How long after the end of its consent a version of the record is kept, in days, as its purposes said when it was made.
-- Those from before this column: five years, as where no purpose says anything.
ALTER TABLE consent_record ADD COLUMN keep_days INTEGER NOT NULL DEFAULT 1826;
