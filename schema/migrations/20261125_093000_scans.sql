-- What scanners told, and what staff has to remember.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES
    (69, 'PassengersScanned'),
    (70, 'StaffNoteWritten');
