-- What is the same bill, what looks like it, and the steps that open or close one.

-- The newest revision of the bill that a line is of: same provider, reference, utility and period.
-- All fields are null when there is none.
CREATE OR REPLACE FUNCTION billing.newest_revision(p_line billing.bills) RETURNS billing.bills
LANGUAGE plpgsql AS $$
DECLARE
    newest billing.bills;
BEGIN
    SELECT * INTO newest FROM billing.bills b
    WHERE b.provider_id = p_line.provider_id AND b.provider_reference = p_line.provider_reference
        AND b.utility = p_line.utility
        AND b.period_from = p_line.period_from AND b.period_to = p_line.period_to
    ORDER BY b.revision DESC LIMIT 1;
    RETURN newest;
END
$$;

-- What a provider says of a bill: all of the bill but what we number and date.
CREATE OR REPLACE FUNCTION billing.bill_content(p_bill billing.bills) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(p_bill)
        - ARRAY['bill_id', 'revision', 'replaces', 'import_id', 'issued_at']
$$;

-- What is left of a reference without what spreadsheets and people change: leading zeros, capitals,
-- spaces, punctuation, and other forms of the same character. Between digits one mark is left: 1-23
-- and 12-3 are two meters.
CREATE OR REPLACE FUNCTION billing.bare_reference(p_reference text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT regexp_replace(
        regexp_replace(
            regexp_replace(
                upper(normalize(p_reference, NFKC)), '(^|[^0-9])0+(?=[0-9])', '\1', 'g'
            ),
            '[\s!-/:-@\[-`{-~\u2010-\u2015]+', '-', 'g'
        ),
        '(?<![0-9])-|-(?![0-9])', '', 'g'
    )
$$;

-- The first open or settled bill that this one probably is: of the same apartment, provider and
-- utility, with the same period and amount but not from the same file, or in an overlapping period
-- with a reference that looks alike. All fields are null when there is none.
CREATE OR REPLACE FUNCTION billing.probable_duplicate(p_bill billing.bills, p_sha256 text)
RETURNS billing.bills
LANGUAGE plpgsql AS $$
DECLARE
    found billing.bills;
BEGIN
    SELECT b.* INTO found FROM billing.bills b
    WHERE b.apartment_id = p_bill.apartment_id AND b.provider_id = p_bill.provider_id
        AND b.utility = p_bill.utility
        AND b.period_from <= p_bill.period_to AND b.period_to >= p_bill.period_from
        AND (
            billing.bare_reference(b.provider_reference)
            = nullif(billing.bare_reference(p_bill.provider_reference), '')
            OR (b.period_from, b.period_to, b.amount_minor, b.currency)
            = (p_bill.period_from, p_bill.period_to, p_bill.amount_minor, p_bill.currency)
            AND NOT EXISTS (
                SELECT FROM billing.imports i
                WHERE i.import_id = b.import_id AND i.sha256 = p_sha256
            )
        )
        AND (
            EXISTS (SELECT FROM billing.open_bills o WHERE o.bill_id = b.bill_id)
            OR EXISTS (SELECT FROM billing.settled_bills s WHERE s.bill_id = b.bill_id)
        )
    ORDER BY b.issued_at, b.bill_id LIMIT 1;
    RETURN found;
END
$$;

-- The one of the package before returned the id.
DROP FUNCTION IF EXISTS billing.insert_bill_revision(billing.bills, billing.bills, uuid);

-- Inserts a bill, or the revision that replaces an open or void one, opens it and returns it.
-- The caller holds the apartment's lock.
CREATE OR REPLACE FUNCTION billing.insert_bill_revision(
    p_line billing.bills, p_newest billing.bills, p_import uuid
)
RETURNS billing.bills
LANGUAGE plpgsql AS $$
DECLARE
    inserted billing.bills := p_line;
BEGIN
    PERFORM billing.bump_version(p_line.apartment_id);
    DELETE FROM billing.open_bills WHERE bill_id = p_newest.bill_id;
    inserted.bill_id := gen_random_uuid();
    inserted.revision := coalesce(p_newest.revision, 0) + 1;
    inserted.replaces := p_newest.bill_id;
    inserted.import_id := p_import;
    inserted.issued_at := clock_timestamp();
    INSERT INTO billing.bills SELECT inserted.*;
    INSERT INTO billing.open_bills (bill_id, apartment_id, amount_minor, currency)
    VALUES (inserted.bill_id, inserted.apartment_id, inserted.amount_minor, inserted.currency);
    RETURN inserted;
END
$$;

-- Locks the bill's apartment. Returns why the operator can't change the bill: reason_required,
-- bill_not_found, or its state if that is not the one expected, then with the id of its newest
-- revision; null if they can.
CREATE OR REPLACE FUNCTION billing.lock_bill_in_state(p_bill uuid, p_expected text, p_reason text)
RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    bill billing.bills;
    state text;
BEGIN
    IF coalesce(btrim(p_reason), '') = '' THEN
        RETURN billing.rejected('reason_required');
    END IF;
    SELECT * INTO bill FROM billing.bills WHERE bill_id = p_bill;
    IF bill.bill_id IS NULL THEN
        RETURN billing.rejected('bill_not_found');
    END IF;
    PERFORM billing.lock_apartments(ARRAY[bill.apartment_id]);
    state := (SELECT s.state FROM billing.bill_states s WHERE s.bill_id = p_bill);
    IF state = p_expected THEN
        RETURN NULL;
    END IF;
    RETURN billing.rejected(
        CASE
            WHEN state = 'replaced' THEN 'bill_replaced'
            WHEN p_expected = 'void' THEN 'bill_not_void'
            WHEN state = 'settled' THEN 'bill_already_paid'
            ELSE 'bill_void'
        END,
        jsonb_build_object('bill_id', (billing.newest_revision(bill)).bill_id)
    );
END
$$;
