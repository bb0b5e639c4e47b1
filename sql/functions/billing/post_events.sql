-- Appends one history event per line of the payment, a microsecond apart from p_from on, and raises
-- the apartment's version by one for all of them. The caller holds the apartment's lock and got
-- p_from from billing.next_instant.

CREATE OR REPLACE FUNCTION billing.post_events(p_event text, p_payment uuid, p_from timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    place uuid := (SELECT apartment_id FROM billing.payments WHERE payment_id = p_payment);
    events bigint := (SELECT count(*) FROM billing.payment_lines WHERE payment_id = p_payment);
    head bigint;
BEGIN
    UPDATE billing.apartment_state
    SET version = version + 1,
        last_seq = last_seq + events,
        last_posted_at = p_from + (events - 1) * interval '1 microsecond'
    WHERE apartment_id = place
    RETURNING last_seq - events INTO head;

    INSERT INTO billing.history (apartment_id, seq, posted_at, event, payment_id, bill_id)
    SELECT place, head + n, p_from + (n - 1) * interval '1 microsecond', p_event, p_payment, bill_id
    FROM (
        SELECT bill_id, row_number() OVER (ORDER BY period_from, utility, bill_id) AS n
        FROM billing.payment_lines WHERE payment_id = p_payment
    ) l
    ORDER BY n;
END
$$;
COMMENT ON FUNCTION billing.post_events(text, uuid, timestamptz) IS
    'Appends the events of a payment or of its reversal to the apartment''s history.';
