-- The answer to a payment, built from rows that never change: asked again in ten years it is the
-- same.

CREATE OR REPLACE FUNCTION billing.receipt(p_payment uuid) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT billing.done(jsonb_build_object(
        'payment_id', p.payment_id,
        'receipt_number', p.receipt_number,
        'status', 'settled',
        'settled_at', billing.instant(p.settled_at),
        'total_minor', p.total_minor,
        'currency', p.currency,
        'lines', (
            SELECT jsonb_agg(
                jsonb_build_object(
                    'bill_id', l.bill_id,
                    'utility', l.utility,
                    'provider', billing.provider(l.provider_id, l.provider_name),
                    'period', billing.period(l.period_from, l.period_to),
                    'amount_minor', l.amount_minor
                )
                ORDER BY l.period_from, l.utility, l.bill_id
            )
            FROM billing.payment_lines l WHERE l.payment_id = p.payment_id
        )
    ))
    FROM billing.payments p WHERE p.payment_id = p_payment
$$;
COMMENT ON FUNCTION billing.receipt(uuid) IS 'The answer that a payment is given, always the same.';
