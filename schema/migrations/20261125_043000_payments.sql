-- Payments and refunds.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES
    (47, 'PaymentStarted'),
    (48, 'PaymentDeclined'),
    (49, 'PaymentSucceeded'),
    (50, 'PaymentArrivedLate'),
    (51, 'RefundRequested'),
    (52, 'RefundSucceeded'),
    (53, 'RefundFailed'),
    (54, 'ChargeDisputed');
