-- Discount and access codes.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES
    (37, 'DiscountCodeIssued'),
    (38, 'AccessCodeIssued'),
    (39, 'CodeRevoked');
