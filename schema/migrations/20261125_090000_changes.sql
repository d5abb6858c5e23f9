-- What becomes of a booking between its sale and the quay.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES
    (63, 'ContactChanged'),
    (64, 'LineQuantityChanged'),
    (65, 'LineTicketTypeChanged'),
    (66, 'BookingRescheduled'),
    (67, 'PassengersReassigned'),
    (68, 'AlternativeOffered');
