-- The registry of reply queues. Each function locks at most the queue's row.

-- Never shortens a queue's life, whoever asks. p_subject is null for the queue of a login.
CREATE OR REPLACE FUNCTION api.register_reply_queue(
    p_name text, p_subject uuid, p_lifetime interval
) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
    INSERT INTO billing.reply_queues AS q (name, subject, expires_at)
    VALUES (p_name, p_subject, clock_timestamp() + p_lifetime)
    ON CONFLICT (name) DO UPDATE SET expires_at = greatest(q.expires_at, excluded.expires_at)
$$;
COMMENT ON FUNCTION api.register_reply_queue(text, uuid, interval) IS
    'Registers a reply queue, or extends its life, to last at least this long from now.';

CREATE OR REPLACE FUNCTION api.reply_queue_is_registered(p_name text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
    SELECT EXISTS (SELECT FROM billing.reply_queues WHERE name = p_name)
$$;
COMMENT ON FUNCTION api.reply_queue_is_registered(text) IS
    'Whether the registry has this reply queue, expired or not.';

CREATE OR REPLACE FUNCTION api.expired_reply_queues(p_limit integer)
RETURNS TABLE (name text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
    SELECT q.name, q.expires_at FROM billing.reply_queues q
    WHERE q.expires_at <= clock_timestamp()
    ORDER BY q.expires_at LIMIT p_limit
$$;
COMMENT ON FUNCTION api.expired_reply_queues(integer) IS
    'Registered reply queues whose time is over, the longest overdue first.';

CREATE OR REPLACE FUNCTION api.forget_reply_queue(p_name text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
    DELETE FROM billing.reply_queues WHERE name = p_name
$$;
COMMENT ON FUNCTION api.forget_reply_queue(text) IS
    'Removes a reply queue from the registry, once it is deleted.';
