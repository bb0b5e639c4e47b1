-- The registry of reply queues. Each function locks at most the rows of the queues that it names.
--
-- A queue is in use until `expires_at`. After that the sweeper may claim it, and a claimed queue is
-- the sweeper's alone until `claimed_until`: it is not registered meanwhile. So whoever registered
-- a queue can send to it without asking whether it is being deleted.

-- Those of the package before had other results.
DROP FUNCTION IF EXISTS api.register_reply_queue(text, uuid, interval);
DROP FUNCTION IF EXISTS api.expired_reply_queues(integer);
DROP FUNCTION IF EXISTS api.reply_queue_is_registered(text);

-- Never shortens a queue's life, whoever asks. p_subject is null for the queue of a login.
CREATE OR REPLACE FUNCTION api.register_reply_queue(
    p_name text, p_subject uuid, p_lifetime interval
) RETURNS interval
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    INSERT INTO billing.reply_queues AS q (name, subject, expires_at)
    VALUES (p_name, p_subject, clock_timestamp() + p_lifetime)
    ON CONFLICT (name) DO UPDATE
    SET expires_at = greatest(q.expires_at, excluded.expires_at), claimed_until = NULL
    WHERE q.claimed_until IS NULL OR q.claimed_until <= clock_timestamp();
    IF found THEN
        RETURN NULL;
    END IF;
    RETURN greatest(interval '1 second', (
        SELECT q.claimed_until - clock_timestamp() FROM billing.reply_queues q WHERE q.name = p_name
    ));
END
$$;
COMMENT ON FUNCTION api.register_reply_queue(text, uuid, interval) IS
    'Registers a reply queue, or extends its life, to last at least this long from now, and '
    'returns null; if the sweeper has claimed it, does nothing and returns for how long.';

CREATE OR REPLACE FUNCTION api.adopt_reply_queues(p_names text[], p_lifetime interval)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
    WITH adopted AS (
        INSERT INTO billing.reply_queues (name, expires_at)
        SELECT one, clock_timestamp() + p_lifetime FROM unnest(p_names) AS one
        ON CONFLICT (name) DO NOTHING
        RETURNING 1
    )

    SELECT count(*) FROM adopted
$$;
COMMENT ON FUNCTION api.adopt_reply_queues(text[], interval) IS
    'Registers those of these reply queues that the registry lacks, and returns how many.';

CREATE OR REPLACE FUNCTION api.expired_reply_queues(p_prefixes text[], p_limit integer)
RETURNS TABLE (name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
    SELECT q.name FROM billing.reply_queues q
    WHERE q.expires_at <= clock_timestamp()
        AND (q.claimed_until IS NULL OR q.claimed_until <= clock_timestamp())
        AND EXISTS (SELECT FROM unnest(p_prefixes) AS prefix WHERE starts_with(q.name, prefix))
    ORDER BY greatest(q.expires_at, q.claimed_until) LIMIT p_limit
$$;
COMMENT ON FUNCTION api.expired_reply_queues(text[], integer) IS
    'Registered reply queues that start with one of these, whose time is over and that no sweep '
    'has claimed just now, the longest overdue first.';

CREATE OR REPLACE FUNCTION api.claim_reply_queue(p_name text, p_hold interval) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
    WITH claimed AS (
        UPDATE billing.reply_queues q SET claimed_until = clock_timestamp() + p_hold
        WHERE q.name = p_name AND q.expires_at <= clock_timestamp()
        RETURNING 1
    )

    SELECT EXISTS (SELECT FROM claimed)
$$;
COMMENT ON FUNCTION api.claim_reply_queue(text, interval) IS
    'Keeps everybody from registering a reply queue for so long, and returns true, if its time is '
    'still over; who claimed it may delete it.';

CREATE OR REPLACE FUNCTION api.forget_reply_queue(p_name text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
    DELETE FROM billing.reply_queues q
    WHERE q.name = p_name AND q.expires_at <= clock_timestamp()
        AND (q.claimed_until IS NULL OR q.claimed_until <= clock_timestamp())
$$;
COMMENT ON FUNCTION api.forget_reply_queue(text) IS
    'Removes a reply queue that is gone from the registry, unless it is in use or claimed.';
