-- The log: one gapless table of events, and what is derived from it for finding them.
SET LOCAL ROLE quartermaster_owner;

-- Which log this is. Event ids and the source of published events are derived from it.
CREATE TABLE log.identity (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    is_only boolean NOT NULL DEFAULT true,
    CONSTRAINT identity_is_only_key UNIQUE (is_only),
    CONSTRAINT identity_is_only_check CHECK (is_only)
);
INSERT INTO log.identity DEFAULT VALUES;

-- The names of the types, for people who read the table; the program has its own list.
CREATE TABLE log.event_type (
    code smallint NOT NULL,
    name text NOT NULL,
    CONSTRAINT event_type_pkey PRIMARY KEY (code),
    CONSTRAINT event_type_name_key UNIQUE (name)
);

CREATE TABLE log.event (
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    command_id uuid NOT NULL,
    correlation_id uuid NOT NULL,
    causation_position bigint,
    -- Of the first event of each command only: the SHA-256 of its request, and its last event. So an
    -- accepted command is found for ever, and a repeated one takes effect once.
    request_hash bytea,
    command_end bigint,
    type smallint NOT NULL,
    schema_version smallint NOT NULL,
    actor text NOT NULL,
    -- JSON. As text, because the exact bytes stay, so that the hash can be checked, and because the
    -- program is strict with it when it writes and when it reads.
    data text NOT NULL,
    -- SHA-256 over the hash before it and everything in this row, see log.append.
    hash bytea NOT NULL,
    CONSTRAINT event_pkey PRIMARY KEY (position),
    CONSTRAINT event_position_check CHECK (position > 0),
    CONSTRAINT event_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT event_command_end_check CHECK (command_end >= position)
);

CREATE UNIQUE INDEX event_command_id_key ON log.event (command_id) WHERE command_end IS NOT NULL;

-- Which entities an event concerns. An index: it can be made again from the events.
CREATE TABLE log.event_tag (
    tag uuid NOT NULL,
    position bigint NOT NULL,
    type smallint NOT NULL,
    CONSTRAINT event_tag_pkey PRIMARY KEY (tag, position) INCLUDE (type)
);

-- The keys that personal data in events is sealed with; to destroy one is to forget a customer.
CREATE TABLE vault.customer_key (
    customer uuid NOT NULL,
    key bytea NOT NULL,
    CONSTRAINT customer_key_pkey PRIMARY KEY (customer),
    CONSTRAINT customer_key_length_check CHECK (octet_length(key) = 32)
);

CREATE FUNCTION log.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what happened can''t be changed: % on log.%', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER event_is_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON log.event
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER event_tag_is_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON log.event_tag
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

GRANT SELECT ON log.identity, log.event_type, log.event, log.event_tag
    TO quartermaster_application;
GRANT SELECT ON vault.customer_key TO quartermaster_application;

INSERT INTO log.event_type (code, name) VALUES
    (1, 'LocationAdded'),
    (2, 'JurisdictionAdded'),
    (3, 'TaxRateSet'),
    (4, 'ProviderAdded'),
    (5, 'BoatRegistered'),
    (6, 'BoatCapacityChanged'),
    (7, 'LaunchAnnounced'),
    (8, 'LaunchArchived'),
    (9, 'LaunchUnarchived'),
    (10, 'MissionPlanned'),
    (11, 'MissionActivated'),
    (12, 'MissionDeactivated'),
    (13, 'MissionArchived'),
    (14, 'MissionUnarchived'),
    (15, 'TripScheduled'),
    (16, 'SaleModeSet'),
    (17, 'SalesOpeningSet'),
    (18, 'TripListed'),
    (19, 'TripUnlisted'),
    (20, 'TripActivated'),
    (21, 'TripDeactivated'),
    (22, 'TripArchived'),
    (23, 'TripUnarchived'),
    (24, 'BoatAssigned'),
    (25, 'SailingLimitSet'),
    (26, 'SalesPaused'),
    (27, 'SalesResumed'),
    (28, 'BookingPlaced'),
    (29, 'HoldExtended'),
    (30, 'HoldExpired'),
    (31, 'BookingAbandoned'),
    (32, 'BookingConfirmed'),
    (33, 'BookingCancelled'),
    (34, 'PassengerCheckedIn'),
    (35, 'CheckInReverted'),
    (36, 'BookingCompleted');
