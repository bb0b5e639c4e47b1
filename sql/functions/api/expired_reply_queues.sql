-- Registered reply queues whose time is over, the longest overdue first. Takes no lock.

CREATE OR REPLACE FUNCTION api.expired_reply_queues(p_limit integer)
RETURNS TABLE (name text, expires_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT q.name, q.expires_at FROM billing.reply_queues q
    WHERE q.expires_at <= clock_timestamp()
    ORDER BY q.expires_at LIMIT p_limit;
END
$$;
COMMENT ON FUNCTION api.expired_reply_queues(integer) IS
    'Reply queues that the sweeper may look at, the longest overdue first.';
