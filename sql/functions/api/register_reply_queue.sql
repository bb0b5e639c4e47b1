-- Registers a reply queue that was made, or puts off its end. Never brings the end nearer, whoever
-- asks. p_subject is null for the queue of a login. Locks the queue's row only.

CREATE OR REPLACE FUNCTION api.register_reply_queue(
    p_name text, p_subject uuid, p_lifetime interval
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    INSERT INTO billing.reply_queues AS q (name, subject, expires_at)
    VALUES (p_name, p_subject, clock_timestamp() + p_lifetime)
    ON CONFLICT (name) DO UPDATE SET expires_at = greatest(q.expires_at, excluded.expires_at);
END
$$;
COMMENT ON FUNCTION api.register_reply_queue(text, uuid, interval) IS
    'Registers a reply queue for this long from now, at the least.';
