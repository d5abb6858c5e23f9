-- Merchandise: what is on the shelf, what is sold with a trip, what was handed over.
SET LOCAL ROLE quartermaster_owner;

INSERT INTO log.event_type (code, name) VALUES
    (55, 'MerchandiseAdded'),
    (56, 'VariationAdded'),
    (57, 'VariationRepriced'),
    (58, 'StockReceived'),
    (59, 'StockAdjusted'),
    (60, 'MerchandiseOffered'),
    (61, 'OfferAllotmentSet'),
    (62, 'MerchandiseFulfilled');
