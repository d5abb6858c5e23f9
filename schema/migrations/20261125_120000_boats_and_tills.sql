-- A boat's default ticket types change; money taken at the dock says by what means.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES (76, 'BoatTicketTypesSet');
