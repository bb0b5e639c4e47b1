-- The steps of a payment in the order in which api.pay takes them, then those of a reversal.

-- SHA-256 of what a payment request asks for. A key that returns with another fingerprint is
-- rejected.
CREATE OR REPLACE FUNCTION billing.request_fingerprint(
    p_apartment uuid, p_bill_set uuid[], p_expected_total bigint
) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT encode(
        sha256(convert_to(
            jsonb_build_array(p_apartment, to_jsonb(p_bill_set), p_expected_total)::text, 'UTF8'
        )),
        'hex'
    )
$$;

-- The receipt of a payment, from rows that never change: the same in ten years.
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

-- The answer that this resident's key got the first time; null when the key is new;
-- idempotency_key_reused when it came with another request. The caller holds the lock of the key.
CREATE OR REPLACE FUNCTION billing.stored_answer(
    p_resident uuid, p_request_key text, p_fingerprint text
) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    request billing.payment_requests;
BEGIN
    SELECT * INTO request FROM billing.payment_requests
    WHERE resident_id = p_resident AND request_key = p_request_key;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF request.fingerprint <> p_fingerprint THEN
        RETURN billing.rejected('idempotency_key_reused');
    END IF;
    RETURN coalesce(request.rejection, billing.receipt(request.payment_id));
END
$$;

-- Whether so many requests of this resident from that hour (UTC) were rejected that no other is
-- tried. A request that is delivered again is of the same hour, so it is not paid after its user
-- was told that it is not. Requests at the same time may add a few.
CREATE OR REPLACE FUNCTION billing.rejections_are_used_up(
    p_resident uuid, p_requested_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    hour timestamptz := date_trunc('hour', p_requested_at, 'UTC');
BEGIN
    RETURN 200 <= (
        SELECT count(*) FROM billing.payment_requests
        WHERE resident_id = p_resident AND rejection IS NOT NULL
            AND requested_at >= hour AND requested_at < hour + interval '1 hour'
    );
END
$$;

-- A rejection with the first ten of the bills at fault, and how many there are.
CREATE OR REPLACE FUNCTION billing.rejected_bills(p_code text, p_bills uuid[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT billing.rejected(p_code, jsonb_build_object(
        'bills', p_bills[:10], 'bills_count', cardinality(p_bills)
    ))
$$;

-- Why these bills can't be paid or voided: the first that applies of bill_not_found, bill_void,
-- bill_already_paid, with how many there are and the first ten; null when all are open bills of the
-- apartment. A bill of another apartment reads like an unknown one, a replaced one like a void one.
-- The caller holds the apartment's lock.
CREATE OR REPLACE FUNCTION billing.bills_rejection(p_apartment uuid, p_bill_set uuid[])
RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    -- The usual case needs only the small table.
    IF cardinality(p_bill_set) = (
        SELECT count(*) FROM billing.open_bills
        WHERE bill_id = ANY (p_bill_set) AND apartment_id = p_apartment
    ) THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT billing.rejected_bills(b.code, array_agg(b.bill_id ORDER BY b.bill_id))
        FROM (
            SELECT wanted.bill_id, CASE s.state
                WHEN 'open' THEN NULL
                WHEN 'settled' THEN 'bill_already_paid'
                WHEN 'void' THEN 'bill_void'
                WHEN 'replaced' THEN 'bill_void'
                ELSE 'bill_not_found'
            END AS code
            FROM unnest(p_bill_set) AS wanted (bill_id)
            LEFT JOIN billing.bill_states s
                ON s.bill_id = wanted.bill_id AND s.apartment_id = p_apartment
        ) b
        WHERE b.code IS NOT NULL
        GROUP BY b.code
        ORDER BY array_position(ARRAY['bill_not_found', 'bill_void', 'bill_already_paid'], b.code)
        LIMIT 1
    );
END
$$;

-- Why these open bills can't be paid together for the total that the payer saw: currency_mixed,
-- then total_changed; null when they can. The caller holds the apartment's lock.
CREATE OR REPLACE FUNCTION billing.total_rejection(p_bill_set uuid[], p_expected_total bigint)
RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    currencies text[];
    total bigint;
BEGIN
    SELECT array_agg(DISTINCT currency ORDER BY currency), sum(amount_minor) INTO currencies, total
    FROM billing.open_bills WHERE bill_id = ANY (p_bill_set);
    IF cardinality(currencies) > 1 THEN
        RETURN billing.rejected('currency_mixed', jsonb_build_object('currencies', currencies));
    END IF;
    IF total <> p_expected_total THEN
        RETURN billing.rejected(
            'total_changed',
            jsonb_build_object('total_minor', total, 'expected_total_minor', p_expected_total)
        );
    END IF;
    RETURN NULL;
END
$$;

-- Why this resident may not pay these bills. A former one is told of their own bills only: all
-- others are not found. Who lives there does not pay for those who did. The caller holds the
-- apartment's lock.
CREATE OR REPLACE FUNCTION billing.debtor_rejection(
    p_resident uuid, p_apartment uuid, p_bill_set uuid[]
) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT billing.rejected_bills(b.code, array_agg(b.bill_id ORDER BY b.bill_id))
        FROM (
            SELECT wanted.bill_id, CASE
                WHEN bill.owed_by IS NULL THEN 'bill_not_found'
                WHEN bill.owed_by = 'former_resident' AND bill.is_open THEN 'bill_of_former_resident'
            END AS code
            FROM unnest(p_bill_set) AS wanted (bill_id)
            LEFT JOIN LATERAL (
                SELECT
                    billing.owed_by(p_resident, p_apartment, period_from, period_to) AS owed_by,
                    EXISTS (
                        SELECT FROM billing.open_bills o WHERE o.bill_id = b.bill_id
                    ) AS is_open
                FROM billing.bills b
                WHERE b.bill_id = wanted.bill_id AND b.apartment_id = p_apartment
            ) bill ON TRUE
        ) b
        WHERE b.code IS NOT NULL
        GROUP BY b.code
        ORDER BY b.code = 'bill_not_found' DESC
        LIMIT 1
    );
END
$$;

-- Locks the apartment and returns why this payment can't be made, or null when it can.
CREATE OR REPLACE FUNCTION billing.payment_rejection(
    p_resident uuid, p_apartment uuid, p_bill_set uuid[], p_expected_total bigint
) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT billing.lock_apartment_for(p_resident, p_apartment) THEN
        RETURN billing.rejected('apartment_not_found');
    END IF;
    IF cardinality(p_bill_set) = 0 THEN
        RETURN billing.rejected('invalid_request');
    END IF;
    RETURN coalesce(
        billing.debtor_rejection(p_resident, p_apartment, p_bill_set),
        billing.bills_rejection(p_apartment, p_bill_set),
        billing.total_rejection(p_bill_set, p_expected_total)
    );
END
$$;

-- R-2026-0000001234: the year of its day helps people, the sequence makes the number unique.
CREATE OR REPLACE FUNCTION billing.next_receipt_number(p_settled_at timestamptz) RETURNS text
LANGUAGE sql VOLATILE AS $$
    SELECT format(
        'R-%s-%s',
        to_char(billing.local_time(p_settled_at), 'YYYY'),
        lpad(nextval('billing.receipt_numbers')::text, 10, '0')
    )
$$;

-- Writes the payment, its lines with today's names, and its history, closes the bills, and returns
-- the payment's id. The caller holds the apartment's lock and has checked that all bills are open,
-- in it, and in one currency; constraints and triggers abort the transaction otherwise.
CREATE OR REPLACE FUNCTION billing.insert_payment(
    p_resident uuid, p_apartment uuid, p_bill_set uuid[]
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    posted_at timestamptz := billing.next_instant(p_apartment);
    payment uuid;
BEGIN
    INSERT INTO billing.payments
        (receipt_number, resident_id, apartment_id, total_minor, currency, settled_at)
    SELECT billing.next_receipt_number(posted_at), p_resident, p_apartment,
        sum(amount_minor), min(currency), posted_at
    FROM billing.open_bills WHERE bill_id = ANY (p_bill_set)
    RETURNING payment_id INTO payment;

    INSERT INTO billing.payment_lines
        (payment_id, bill_id, apartment_id, amount_minor, currency, utility,
            provider_id, provider_name, period_from, period_to)
    SELECT payment, b.bill_id, b.apartment_id, b.amount_minor, b.currency, b.utility,
        b.provider_id, p.name, b.period_from, b.period_to
    FROM billing.bills b
    JOIN billing.providers p ON p.provider_id = b.provider_id
    WHERE b.bill_id = ANY (p_bill_set);

    PERFORM billing.append_history('payment', payment, posted_at);
    DELETE FROM billing.open_bills WHERE bill_id = ANY (p_bill_set);
    INSERT INTO billing.settled_bills (bill_id, payment_id, apartment_id)
    SELECT bill_id, payment, p_apartment FROM unnest(p_bill_set) AS t (bill_id);
    RETURN payment;
END
$$;

-- Writes the reversal of a payment and its history, and reopens the bills. The caller holds the
-- apartment's lock and has checked that the payment is not reversed yet.
CREATE OR REPLACE FUNCTION billing.reverse_payment_rows(
    p_payment billing.payments, p_reason text, p_operator text
) RETURNS billing.reversals
LANGUAGE plpgsql AS $$
DECLARE
    reversal billing.reversals;
BEGIN
    INSERT INTO billing.reversals (payment_id, reason, operator, reversed_at)
    VALUES (p_payment.payment_id, p_reason, p_operator,
        billing.next_instant(p_payment.apartment_id))
    RETURNING * INTO reversal;
    PERFORM billing.append_history('reversal', p_payment.payment_id, reversal.reversed_at);
    DELETE FROM billing.settled_bills WHERE payment_id = p_payment.payment_id;
    INSERT INTO billing.open_bills (bill_id, apartment_id, amount_minor, currency)
    SELECT bill_id, apartment_id, amount_minor, currency
    FROM billing.payment_lines WHERE payment_id = p_payment.payment_id;
    RETURN reversal;
END
$$;
