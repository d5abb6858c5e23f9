-- The rebuilds under way, so that one that was interrupted goes on where it was.
SET LOCAL ROLE quartermaster_application;

CREATE TABLE reading.rebuild (
    -- Of the read model; its table in the making stands beside the live one.
    name text NOT NULL,
    version int NOT NULL,
    -- The last event that the table in the making reflects; written with its rows.
    position bigint NOT NULL,
    -- What the operator wants of it: 'run', 'pause' or 'cancel'.
    wanted text NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT rebuild_pkey PRIMARY KEY (name),
    CONSTRAINT rebuild_position_check CHECK (position >= 0),
    CONSTRAINT rebuild_wanted_check CHECK (wanted IN ('run', 'pause', 'cancel'))
);
