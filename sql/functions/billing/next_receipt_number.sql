-- A new receipt number, R-2026-0000001234: the year (UTC) helps people, the sequence makes it
-- unique.

CREATE OR REPLACE FUNCTION billing.next_receipt_number(p_settled_at timestamptz) RETURNS text
LANGUAGE sql VOLATILE AS $$
    SELECT format(
        'R-%s-%s',
        to_char(p_settled_at AT TIME ZONE 'UTC', 'YYYY'),
        lpad(nextval('billing.receipt_numbers')::text, 10, '0')
    )
$$;
COMMENT ON FUNCTION billing.next_receipt_number(timestamptz) IS
    'A receipt number nobody had before.';
