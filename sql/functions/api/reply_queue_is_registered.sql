-- Whether the registry knows this reply queue, expired or not. Takes no lock.

CREATE OR REPLACE FUNCTION api.reply_queue_is_registered(p_name text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM billing.reply_queues WHERE name = p_name);
END
$$;
COMMENT ON FUNCTION api.reply_queue_is_registered(text) IS
    'Whether the registry knows this reply queue.';
