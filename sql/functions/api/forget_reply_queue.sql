-- Takes a reply queue off the registry, once it is deleted. Locks the queue's row only.

CREATE OR REPLACE FUNCTION api.forget_reply_queue(p_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    DELETE FROM billing.reply_queues WHERE name = p_name;
END
$$;
COMMENT ON FUNCTION api.forget_reply_queue(text) IS 'Takes a reply queue off the registry.';
