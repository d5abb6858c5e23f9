-- Changes of staff count in the order of the log, whenever they are carried out and however often.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES
    (80, 'StaffPasswordSet');

ALTER TABLE vault.staff_account
    -- The event that set the password, and the position as of which role and closing are known.
    ADD COLUMN password_position bigint NOT NULL DEFAULT 0,
    ADD COLUMN known_position bigint NOT NULL DEFAULT 0;
