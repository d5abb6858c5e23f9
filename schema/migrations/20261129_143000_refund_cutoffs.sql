-- Until when customers help themselves can be put right.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES
    (79, 'RefundCutoffSet');
