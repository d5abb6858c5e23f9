-- What a rebuild was asked for is not forgotten when it is interrupted.
SET LOCAL ROLE quartermaster_application;

ALTER TABLE reading.rebuild
    -- Whether the table that is replaced is kept.
    ADD COLUMN keeps_old boolean NOT NULL DEFAULT false;
