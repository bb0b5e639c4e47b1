-- The history of settled debts.

-- Events after position p_after_seq that the resident sees, outside of [p_known_from, p_known_to)
-- (both null: nothing is known), at most p_limit. last_posted_at is of the last event that they
-- see: nobody learns when others paid. Takes no lock. STABLE: all comes from one snapshot.
--
-- settled_at is when the debt was settled, or when that was reversed. frame_known: p_known_to is an
-- instant that the service handed out, a microsecond after an event. It is false after a restore to
-- an earlier point in time for a client that holds an event which the restored ledger lacks.
CREATE OR REPLACE FUNCTION api.settled_history(
    p_subject uuid,
    p_apartment uuid,
    p_after_seq bigint,
    p_known_from timestamptz,
    p_known_to timestamptz,
    p_limit integer
) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    residency billing.residencies;
    first_seq bigint := coalesce(p_after_seq, 0) + 1;
    known_first bigint := billing.position_at(p_apartment, p_known_from);
    known_end bigint := billing.position_at(p_apartment, p_known_to);
    head jsonb;
    events jsonb;
    more boolean;
BEGIN
    SELECT * INTO residency
    FROM billing.residency_of(billing.resident_of(p_subject), p_apartment);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT jsonb_build_object(
        'version', s.version,
        'visible_from', billing.instant(residency.since),
        'last_posted_at', (
            SELECT billing.instant(posted_at) FROM billing.seen_history(residency)
            ORDER BY seq DESC LIMIT 1
        ),
        'frame_known', coalesce(p_known_to, 'infinity') = 'infinity'
            OR p_known_to <= residency.since
            OR EXISTS (
                SELECT FROM billing.history
                WHERE apartment_id = p_apartment
                    AND posted_at = p_known_to - interval '1 microsecond'
            )
    )
    INTO head
    FROM billing.apartment_state s WHERE s.apartment_id = p_apartment;

    SELECT count(*) > p_limit,
        coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'seq', h.seq,
                    'event', h.event,
                    'bill_id', h.bill_id,
                    'utility', l.utility,
                    'provider', billing.provider(l.provider_id, l.provider_name),
                    'period', billing.period(l.period_from, l.period_to),
                    'amount_minor', l.amount_minor,
                    'currency', l.currency,
                    'posted_at', billing.instant(h.posted_at),
                    'settled_at', billing.instant(coalesce(r.reversed_at, p.settled_at)),
                    'payment_id', h.payment_id,
                    'receipt_number', p.receipt_number
                )
                ORDER BY h.seq
            ) FILTER (WHERE h.place <= p_limit),
            '[]'
        )
    INTO more, events
    FROM (
        SELECT page.*, row_number() OVER (ORDER BY page.seq) AS place
        FROM billing.history_page(residency, first_seq, known_first, known_end, p_limit) page
    ) h
    -- LIMIT 1 makes each a look-up by its whole key, however few rows the planner believes in.
    CROSS JOIN LATERAL (
        SELECT * FROM billing.payment_lines
        WHERE payment_id = h.payment_id AND bill_id = h.bill_id LIMIT 1
    ) l
    CROSS JOIN LATERAL (
        SELECT * FROM billing.payments WHERE payment_id = h.payment_id LIMIT 1
    ) p
    LEFT JOIN LATERAL (
        SELECT * FROM billing.reversals
        WHERE payment_id = h.payment_id AND h.event = 'reversal' LIMIT 1
    ) r ON true;

    RETURN head || jsonb_build_object('more', more, 'events', events);
END
$$;
COMMENT ON FUNCTION api.settled_history(uuid, uuid, bigint, timestamptz, timestamptz, integer) IS
    'A page of history events that the client lacks; null for strangers.';
