-- What a sailing has for sale, and seats beyond the operator's limit.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES
    (40, 'BoatUnassigned'),
    (41, 'TicketTypeDefined'),
    (42, 'TicketTypeRepriced'),
    (43, 'TicketTypeCapped'),
    (44, 'TicketTypeRelabelled'),
    (45, 'TicketTypeWithdrawn'),
    (46, 'OversaleAuthorised');
