-- The one way into the log: a whole batch of commands in one call and one transaction.
SET LOCAL ROLE quartermaster_owner;

-- What the hash of an event covers, in this order: the hash of the event before it (nothing for
-- the first), position, recorded_at (microseconds since 2000), command, correlation, causation
-- (0 for none), type, schema version, length of the actor, actor, data. Numbers in network order.
CREATE FUNCTION log.event_hash(
    previous bytea, "position" bigint, recorded_at timestamptz, command_id uuid,
    correlation_id uuid, causation_position bigint, type smallint, schema_version smallint,
    actor text, data bytea
) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(
        previous || int8send(position) || timestamptz_send(recorded_at) || uuid_send(command_id)
        || uuid_send(correlation_id) || int8send(coalesce(causation_position, 0))
        || int2send(type) || int2send(schema_version) || int4send(octet_length(actor))
        || convert_to(actor, 'UTF8') || data)
$$;

-- Appends the events of several commands, all that may be appended, and reports on each command:
--   appended    its events stand at first_position to last_position
--   duplicate   its key was accepted before, for the same request; the positions are of then
--   key reused  its key was accepted before, for another request
--   conflict    an event has appeared that the command's decision does not know of
-- A refused command disturbs no other one, but those later in the batch whose decision rests on
-- what it would have done: their conditions name a tag of its events, so they conflict as well.
--
-- The arrays lie flat: events, keys and references say to which command they belong, tags to which
-- event, all by index from 1. A condition item matches an event after item_after that has one of
-- its types (any, when it has none) and all of its tags; tags and types are slices of item_tags
-- and item_types. reference_item says on which items the command of reference_command rests.
--
-- Positions have no holes, because they are handed out under a lock that is kept until commit: so
-- the order of commits is the order of positions. Plans are pinned to index probes, or one made
-- while the table was small would read all of it later.
CREATE FUNCTION log.append(
    command_ids uuid[], request_hashes bytea[], correlation_ids uuid[],
    causation_positions bigint[], actors text[],
    event_commands int[], event_types smallint[], event_versions smallint[], event_data bytea[],
    tag_events int[], tags uuid[],
    item_after bigint[], item_tag_ends int[], item_tags uuid[], item_type_ends int[],
    item_types smallint[],
    reference_commands int[], reference_items int[],
    key_commands int[], key_customers uuid[], key_bytes bytea[]
) RETURNS TABLE (outcome text, first_position bigint, last_position bigint, recorded_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
    command_count int := cardinality(command_ids);
    event_count int := cardinality(event_commands);
    head bigint;
    head_hash bytea;
    now timestamptz;
    failed_items int[];
    outcomes text[] := array_fill('appended'::text, ARRAY[command_count]);
    firsts bigint[] := array_fill(NULL::bigint, ARRAY[command_count]);
    lasts bigint[] := array_fill(NULL::bigint, ARRAY[command_count]);
    positions bigint[] := array_fill(NULL::bigint, ARRAY[event_count]);
    hashes bytea[] := array_fill(NULL::bytea, ARRAY[event_count]);
    is_clean boolean;
    command int;
    start bigint;
BEGIN
    -- Any number will do, as long as nobody else locks it.
    PERFORM pg_advisory_xact_lock(7305804402);

    SELECT e.position, e.hash, e.recorded_at INTO head, head_hash, now
        FROM log.event e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    start := head;
    head_hash := coalesce(head_hash, '');
    now := greatest(clock_timestamp(), now);

    SELECT array_agg(i.n) INTO failed_items
        FROM unnest(item_after, item_tag_ends, item_type_ends)
            WITH ORDINALITY AS i (after, tag_end, type_end, n)
        CROSS JOIN LATERAL (
            SELECT item_tags[coalesce(item_tag_ends[i.n - 1], 0) + 1 : i.tag_end],
                   item_types[coalesce(item_type_ends[i.n - 1], 0) + 1 : i.type_end]
        ) AS slice (tags, types)
        CROSS JOIN LATERAL log.has_event(slice.tags, slice.types, i.after) AS found (it)
        WHERE found.it;

    is_clean := failed_items IS NULL
        AND NOT EXISTS (SELECT FROM log.command c WHERE c.id = ANY (command_ids));
    IF NOT is_clean THEN
        SELECT j.outcomes, j.firsts, j.lasts INTO outcomes, firsts, lasts
            FROM log.judge(
                command_ids, request_hashes, event_commands, tag_events, tags, item_tag_ends,
                item_tags, reference_commands, reference_items, failed_items) AS j;
    END IF;

    FOR event IN 1 .. event_count LOOP
        command := event_commands[event];
        CONTINUE WHEN outcomes[command] <> 'appended';
        head := head + 1;
        head_hash := log.event_hash(
            head_hash, head, now, command_ids[command], correlation_ids[command],
            causation_positions[command], event_types[event], event_versions[event],
            actors[command], event_data[event]);
        positions[event] := head;
        hashes[event] := head_hash;
        firsts[command] := coalesce(firsts[command], head);
        lasts[command] := head;
    END LOOP;

    IF head > start THEN
        INSERT INTO log.event (
            position, recorded_at, command_id, correlation_id, causation_position, type,
            schema_version, actor, data, hash)
        SELECT e.position, now, command_ids[e.command], correlation_ids[e.command],
               causation_positions[e.command], e.type, e.version, actors[e.command],
               convert_from(e.data, 'UTF8')::json, e.hash
            FROM unnest(
                positions, event_commands, event_types, event_versions, event_data, hashes
            ) AS e (position, command, type, version, data, hash)
            WHERE e.position IS NOT NULL;

        INSERT INTO log.event_tag (tag, position, type)
        SELECT t.tag, positions[t.event], event_types[t.event]
            FROM unnest(tags, tag_events) AS t (tag, event)
            WHERE positions[t.event] IS NOT NULL;

        INSERT INTO log.command (id, request_hash, first_position, last_position)
        SELECT c.id, c.hash, c.first, c.last
            FROM unnest(command_ids, request_hashes, outcomes, firsts, lasts)
                AS c (id, hash, outcome, first, last)
            WHERE c.outcome = 'appended';

        INSERT INTO vault.customer_key (customer, key)
        SELECT k.customer, k.bytes
            FROM unnest(key_commands, key_customers, key_bytes) AS k (command, customer, bytes)
            WHERE outcomes[k.command] = 'appended';

        PERFORM pg_notify('quartermaster_event', head::text);
    END IF;

    RETURN QUERY SELECT o.outcome, o.first, o.last, now
        FROM unnest(outcomes, firsts, lasts) WITH ORDINALITY AS o (outcome, first, last, n)
        ORDER BY o.n;
END
$$;

-- Whether there is an event after a position with one of the types and all of the tags.
CREATE FUNCTION log.has_event(tags uuid[], types smallint[], after bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_variable
BEGIN
    IF cardinality(tags) = 0 THEN
        RETURN EXISTS (
            SELECT FROM log.event e
            WHERE e.position > after AND (cardinality(types) = 0 OR e.type = ANY (types)));
    ELSIF cardinality(tags) = 1 THEN
        RETURN EXISTS (
            SELECT FROM log.event_tag t
            WHERE t.tag = tags[1] AND t.position > after
                AND (cardinality(types) = 0 OR t.type = ANY (types)));
    END IF;
    RETURN EXISTS (
        SELECT FROM log.event_tag t
        WHERE t.tag = tags[1] AND t.position > after
            AND (cardinality(types) = 0 OR t.type = ANY (types))
            AND NOT EXISTS (
                SELECT FROM unnest(tags) AS other (tag)
                WHERE NOT EXISTS (
                    SELECT FROM log.event_tag o
                    WHERE o.tag = other.tag AND o.position = t.position)));
END
$$;

-- Decides about each command of a batch in which at least one can't be appended.
CREATE FUNCTION log.judge(
    command_ids uuid[], request_hashes bytea[], event_commands int[], tag_events int[],
    tags uuid[], item_tag_ends int[], item_tags uuid[], reference_commands int[],
    reference_items int[], failed_items int[],
    OUT outcomes text[], OUT firsts bigint[], OUT lasts bigint[]
)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_variable
DECLARE
    -- Tags of events that the commands before in the batch wanted, and did not get.
    missing_tags uuid[] := '{}';
    known log.command;
    is_known boolean;
BEGIN
    FOR n IN 1 .. cardinality(command_ids) LOOP
        SELECT * INTO known FROM log.command c WHERE c.id = command_ids[n];
        is_known := FOUND;
        outcomes[n] := CASE
            WHEN is_known AND known.request_hash = request_hashes[n] THEN 'duplicate'
            WHEN is_known THEN 'key reused'
            WHEN EXISTS (
                SELECT FROM unnest(reference_commands, reference_items) AS r (command, item)
                WHERE r.command = n
                    AND (r.item = ANY (failed_items)
                        OR item_tags[coalesce(item_tag_ends[r.item - 1], 0) + 1
                                     : item_tag_ends[r.item]] && missing_tags)
            ) THEN 'conflict'
            ELSE 'appended'
        END;
        firsts[n] := CASE WHEN outcomes[n] = 'duplicate' THEN known.first_position END;
        lasts[n] := CASE WHEN outcomes[n] = 'duplicate' THEN known.last_position END;
        IF outcomes[n] <> 'appended' THEN
            missing_tags := missing_tags || ARRAY(
                SELECT t.tag FROM unnest(tags, tag_events) AS t (tag, event)
                WHERE event_commands[t.event] = n);
        END IF;
    END LOOP;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA log FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.append TO quartermaster_application;
