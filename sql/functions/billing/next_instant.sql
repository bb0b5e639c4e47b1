-- The posting instant of the apartment's next history event: now, but later than the event before.
-- The caller holds the apartment's lock. Asking the clock before holding it would let an event
-- appear behind one that readers have already seen, and a sync would miss it for ever.

CREATE OR REPLACE FUNCTION billing.next_instant(p_apartment uuid) RETURNS timestamptz
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT greatest(clock_timestamp(), last_posted_at + interval '1 microsecond')
        FROM billing.apartment_state WHERE apartment_id = p_apartment
    );
END
$$;
COMMENT ON FUNCTION billing.next_instant(uuid) IS
    'Posting instant for the next event of an apartment that the caller has locked.';
