-- The one way into the log: a whole batch of commands in one call and one transaction.
SET LOCAL ROLE quartermaster_owner;

-- Appends the events of several commands, all that may be appended, and reports on each command:
--   appended    its events stand at first_position to last_position
--   duplicate   its key was accepted before, for the same request; the positions are of then
--   key reused  its key was accepted before, for another request
--   conflict    an event has appeared that the command's decision does not know of
-- When all are appended there is one row for the whole batch, from the first command's first position
-- to the last one's last, for they follow on each other; else there is a row for each command.
-- A refused command disturbs no other one, but those later in the batch whose decision rests on
-- what it would have done: their conditions name a tag of its events, so they conflict as well.
--
-- The arrays lie flat: events, keys and references say to which command they belong, tags to which
-- event, all by index from 1; the first event of each command says how many it has. A condition item
-- matches an event after item_after that has one of its types (any, when it has none) and all of its
-- tags; tags and types are slices of item_tags and item_types. reference_item says on which items the
-- command of reference_command rests.
--
-- The hash of an event is SHA-256 over the hash of the event before it (nothing for the first), the
-- time of recording (microseconds since 2000), and the event's digest. The caller brings the digest:
-- it is SHA-256 over command, correlation, causation (0 for none), type, schema version, the hash of
-- the request (empty but in the first event of a command) and actor, each after its length in four
-- bytes, and then data; numbers in network order. Positions need no hashing: they are dense, and the
-- chain is in their order. Whoever verifies the log makes the digests anew from its rows.
--
-- Positions have no holes, because they are handed out under a lock that is kept until commit: so
-- the order of commits is the order of positions. Plans are pinned to index probes, or one made
-- while the table was small would read all of it later.
CREATE FUNCTION log.append(
    command_ids uuid[], request_hashes bytea[], correlation_ids uuid[],
    event_commands int[], event_counts int[], event_causations bigint[], event_actors text[],
    event_types smallint[], event_versions smallint[], event_data text[], event_digests bytea[],
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
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    head bigint;
    head_hash bytea;
    now timestamptz;
    stamp bytea;
    failed_items int[];
    outcomes text[];
    firsts bigint[];
    lasts bigint[];
    positions bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(event_commands)]);
    hashes bytea[] := array_fill(NULL::bytea, ARRAY[cardinality(event_commands)]);
    is_clean boolean;
    digest bytea;
    event int := 0;
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
    stamp := timestamptz_send(now);

    failed_items := log.failed_items(
        item_after, item_tag_ends, item_tags, item_type_ends, item_types);
    is_clean := failed_items IS NULL AND NOT EXISTS (
        SELECT FROM log.event e
        WHERE e.command_id = ANY (command_ids) AND e.command_end IS NOT NULL);
    IF NOT is_clean THEN
        SELECT j.outcomes, j.firsts, j.lasts INTO outcomes, firsts, lasts
            FROM log.judge(
                command_ids, request_hashes, event_commands, tag_events, tags, item_tag_ends,
                item_tags, reference_commands, reference_items, failed_items) AS j;
    END IF;

    FOREACH digest IN ARRAY event_digests LOOP
        event := event + 1;
        CONTINUE WHEN NOT is_clean AND outcomes[event_commands[event]] <> 'appended';
        head := head + 1;
        head_hash := sha256(head_hash || stamp || digest);
        positions[event] := head;
        hashes[event] := head_hash;
    END LOOP;

    IF head > start THEN
        INSERT INTO log.event (
            position, recorded_at, command_id, correlation_id, causation_position, request_hash,
            command_end, type, schema_version, actor, data, hash)
        SELECT e.position, now, command_ids[e.command], correlation_ids[e.command], e.causation,
               CASE WHEN e.count IS NOT NULL THEN request_hashes[e.command] END,
               e.position + e.count - 1, e.type, e.version, e.actor, e.data, e.hash
            FROM unnest(
                positions, event_commands, event_counts, event_causations, event_actors,
                event_types, event_versions, event_data, hashes
            ) AS e (position, command, count, causation, actor, type, version, data, hash)
            WHERE e.position IS NOT NULL;

        INSERT INTO log.event_tag (tag, position, type)
        SELECT t.tag, positions[t.event], event_types[t.event]
            FROM unnest(tags, tag_events) AS t (tag, event)
            WHERE positions[t.event] IS NOT NULL;

        INSERT INTO vault.customer_key (customer, key)
        SELECT k.customer, k.bytes
            FROM unnest(key_commands, key_customers, key_bytes) AS k (command, customer, bytes)
            WHERE is_clean OR outcomes[k.command] = 'appended';

        PERFORM pg_notify('quartermaster_event', head::text);
    END IF;

    IF is_clean THEN
        RETURN QUERY SELECT 'appended', start + 1, head, now;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT o.outcome, coalesce(o.first, e.first), coalesce(o.last, e.last), now
            FROM unnest(outcomes, firsts, lasts) WITH ORDINALITY AS o (outcome, first, last, n)
            LEFT JOIN (
                SELECT command, min(position) AS first, max(position) AS last
                    FROM unnest(positions, event_commands) AS p (position, command)
                    GROUP BY command
            ) AS e ON e.command = o.n
            ORDER BY o.n;
END
$$;

-- The items, by index, for which an event has appeared.
CREATE FUNCTION log.failed_items(
    item_after bigint[], item_tag_ends int[], item_tags uuid[], item_type_ends int[],
    item_types smallint[]
) RETURNS int[]
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    -- An item is looked for by its first tag. The slices are cut only when that finds something.
    RETURN (
        SELECT array_agg(i.n)
            FROM (
                SELECT n, after, coalesce(item_tag_ends[n - 1], 0) + 1 AS tag_start, tag_end,
                       coalesce(item_type_ends[n - 1], 0) + 1 AS type_start, type_end
                    FROM unnest(item_after, item_tag_ends, item_type_ends)
                        WITH ORDINALITY AS u (after, tag_end, type_end, n)
            ) AS i
            WHERE CASE WHEN tag_start > tag_end THEN EXISTS (
                SELECT FROM log.event e
                    WHERE e.position > i.after
                        AND (type_start > type_end OR e.type = ANY (item_types[type_start : type_end])))
            ELSE EXISTS (
                SELECT FROM log.event_tag t
                    WHERE t.tag = item_tags[tag_start] AND t.position > i.after
                        AND (type_start > type_end OR t.type = ANY (item_types[type_start : type_end]))
                        AND (tag_start = tag_end OR log.has_tags(
                            t.position, item_tags[tag_start + 1 : tag_end])))
            END
    );
END
$$;

-- Whether an event has all of some tags.
CREATE FUNCTION log.has_tags("position" bigint, tags uuid[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM unnest(tags) AS wanted (tag)
        WHERE NOT EXISTS (
            SELECT FROM log.event_tag t
            WHERE t.tag = wanted.tag AND t.position = has_tags.position))
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
    known log.event;
    is_known boolean;
BEGIN
    FOR n IN 1 .. cardinality(command_ids) LOOP
        SELECT * INTO known FROM log.event e
            WHERE e.command_id = command_ids[n] AND e.command_end IS NOT NULL;
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
        firsts[n] := CASE WHEN outcomes[n] = 'duplicate' THEN known.position END;
        lasts[n] := CASE WHEN outcomes[n] = 'duplicate' THEN known.command_end END;
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
