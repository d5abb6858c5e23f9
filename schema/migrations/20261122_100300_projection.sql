-- How far each read model has come, who leads it, and why it stands still.
SET LOCAL ROLE quartermaster_application;

CREATE TABLE reading.projection (
    name text NOT NULL,
    version int NOT NULL,
    -- The last event that the rows reflect.
    position bigint NOT NULL,
    -- Raised by each new leader; a checkpoint of an older one is refused.
    epoch bigint NOT NULL,
    -- Where and why it stopped; NULL while it runs.
    stopped_at_position bigint,
    stopped_because text,
    updated_at timestamptz NOT NULL,
    CONSTRAINT projection_pkey PRIMARY KEY (name),
    CONSTRAINT projection_position_check CHECK (position >= 0)
);

-- Moves a checkpoint, in the transaction that writes the rows; the checkpoint is compared first, so
-- that a leader that has been replaced writes nothing.
CREATE FUNCTION reading.advance(
    projection_name text, leader_epoch bigint, from_position bigint, to_position bigint
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reading.projection
        SET position = to_position, updated_at = clock_timestamp(),
            stopped_at_position = NULL, stopped_because = NULL
        WHERE name = projection_name AND epoch = leader_epoch AND position = from_position;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'projection % is led by somebody else', projection_name
            USING ERRCODE = 'QM001';
    END IF;
END
$$;
