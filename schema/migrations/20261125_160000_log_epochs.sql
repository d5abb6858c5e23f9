-- What operators decide about the log: a new epoch, and what a read model does without.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES
    (77, 'LogEpochBegun'), (78, 'ProjectionEventSkipped');
