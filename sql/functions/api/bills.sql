-- Bills: what is owed, imports, corrections and voids, and the providers that send them.

-- Takes no lock. STABLE: version and debts come from one snapshot.
CREATE OR REPLACE FUNCTION api.open_debts(p_subject uuid, p_apartment uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    viewer uuid := billing.resident_of(p_subject);
BEGIN
    RETURN (
        SELECT jsonb_build_object(
            'version', access.version,
            'debts', coalesce(
                (
                    SELECT jsonb_agg(
                        jsonb_build_object(
                            'bill_id', b.bill_id,
                            'utility', b.utility,
                            'provider', billing.provider(b.provider_id, p.name),
                            'period', billing.period(b.period_from, b.period_to),
                            'due_on', b.due_on,
                            'amount_minor', b.amount_minor,
                            'currency', b.currency,
                            'owed_by', w.owed_by
                        )
                        ORDER BY b.due_on, b.utility, b.bill_id
                    )
                    FROM billing.open_bills o
                    JOIN billing.bills b ON b.bill_id = o.bill_id
                    JOIN billing.providers p ON p.provider_id = b.provider_id
                    CROSS JOIN LATERAL (
                        SELECT billing.owed_by(
                            viewer, p_apartment, b.period_from, b.period_to
                        ) AS owed_by
                    ) w
                    WHERE o.apartment_id = p_apartment AND w.owed_by IS NOT NULL
                ),
                '[]'
            )
        )
        FROM api.apartment_access(p_subject, p_apartment) access
    );
END
$$;
COMMENT ON FUNCTION api.open_debts(uuid, uuid) IS
    'The apartment''s version and the open bills that the resident sees; null for strangers.';

-- Debts show a provider's current name, so a new name moves the version of every apartment that
-- owes it something, and none may come to owe it something meanwhile. All of them are locked until
-- then and payments there wait: rename at a quiet hour.
CREATE OR REPLACE FUNCTION api.add_provider(p_provider_id text, p_name text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    former text;
    debtors uuid[];
BEGIN
    PERFORM billing.lock_opening();
    SELECT name INTO former FROM billing.providers WHERE provider_id = p_provider_id;
    IF former IS NULL THEN
        INSERT INTO billing.providers (provider_id, name) VALUES (p_provider_id, p_name);
    ELSIF former <> p_name THEN
        SELECT array_agg(DISTINCT o.apartment_id) INTO debtors
        FROM billing.open_bills o
        JOIN billing.bills b ON b.bill_id = o.bill_id
        JOIN billing.providers p ON p.provider_id = b.provider_id
        WHERE p.provider_id = p_provider_id;
        PERFORM billing.lock_apartments(debtors);
        PERFORM billing.bump_version(debtor) FROM unnest(debtors) AS t (debtor);
        UPDATE billing.providers SET name = p_name WHERE provider_id = p_provider_id;
    END IF;
    RETURN billing.done(jsonb_build_object(
        'provider_id', p_provider_id, 'name', p_name, 'former_name', former
    ));
END
$$;
COMMENT ON FUNCTION api.add_provider(text, text) IS
    'Adds a provider or renames it; former_name is null for a new one.';

-- One transaction; a line that can't be issued is rejected alone. A bill is known by provider,
-- reference, utility and period: the same content adds nothing, other content replaces the bill
-- while it is open or void, and is rejected once it is paid. What looks like another bill that is
-- owed or paid is rejected, unless "allow_duplicates" is true.
--
-- Lock order: the advisory lock of opening, so that two files with the same new reference take
-- turns; then the apartments, sorted. A dry run does everything and rolls it back: it returns the
-- same but for the ids of new bills.
-- Returns {"lines": [...]} as billing.issue_line describes; rejects with import_id_reused.
CREATE OR REPLACE FUNCTION api.issue_bills(p_import jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    rejection jsonb;
    line record;
    results jsonb[] := '{}';
    lines jsonb;
BEGIN
    PERFORM billing.lock_opening();
    PERFORM billing.lock_apartments(array_agg(DISTINCT (t.line ->> 'apartment_id')::uuid))
    FROM jsonb_array_elements(p_import -> 'lines') AS t (line);
    BEGIN
        rejection := billing.import_rejection(p_import);
        IF rejection IS NOT NULL THEN
            RETURN rejection;
        END IF;
        -- One after the other: a later line is compared with an earlier one, too.
        FOR line IN
            SELECT
                t.value,
                count(*) OVER (
                    PARTITION BY b.provider_id, b.provider_reference, b.utility, b.period_from,
                        b.period_to
                ) > 1 AS is_repeated
            FROM jsonb_array_elements(p_import -> 'lines') WITH ORDINALITY t,
                jsonb_populate_record(NULL::billing.bills, t.value) b
            ORDER BY t.ordinality
        LOOP
            results := results || billing.issue_line(p_import, line.value, line.is_repeated);
        END LOOP;
        lines := to_jsonb(results);
        IF (p_import ->> 'dry_run')::boolean THEN
            RAISE EXCEPTION USING ERRCODE = 'BDRYR', MESSAGE = 'dry run';
        END IF;
    EXCEPTION WHEN SQLSTATE 'BDRYR' THEN
        lines := billing.strip_dry_run_ids(lines);
    END;
    RETURN billing.done(jsonb_build_object('lines', lines));
END
$$;
COMMENT ON FUNCTION api.issue_bills(jsonb) IS
    'Issues the bills of an import or of a chunk of it; a dry run only returns the results.';

-- Locks the apartment. Rejects with reason_required, bill_not_found, bill_void, bill_replaced (void
-- its newest revision) or bill_already_paid (reverse its payment first).
CREATE OR REPLACE FUNCTION api.void_bill(p_bill uuid, p_reason text, p_operator text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    rejection jsonb := billing.lock_bill_in_state(p_bill, 'open', p_reason);
    apartment uuid := (SELECT apartment_id FROM billing.bills WHERE bill_id = p_bill);
    voided timestamptz;
BEGIN
    IF rejection IS NOT NULL THEN
        RETURN rejection;
    END IF;
    PERFORM billing.bump_version(apartment);
    DELETE FROM billing.open_bills WHERE bill_id = p_bill;
    voided := clock_timestamp();
    INSERT INTO billing.bill_voids (bill_id, reason, operator, voided_at)
    VALUES (p_bill, p_reason, p_operator, voided);
    RETURN billing.done(jsonb_build_object(
        'bill_id', p_bill, 'apartment_id', apartment, 'voided_at', billing.instant(voided)
    ));
END
$$;
COMMENT ON FUNCTION api.void_bill(uuid, text, text) IS
    'Withdraws an open bill that no correction replaces, with a reason.';

-- Takes the lock of opening, then that of the apartment. The void stays: a revision with the same
-- content replaces the void bill. Rejects with reason_required, bill_not_found, bill_not_void,
-- bill_replaced, or probable_duplicate, which names the bill that is owed or paid instead.
CREATE OR REPLACE FUNCTION api.reinstate_bill(
    p_bill uuid, p_reason text, p_operator text, p_allow_duplicates boolean
)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    rejection jsonb;
    voided billing.bills;
    duplicate billing.bills;
    reopened billing.bills;
BEGIN
    PERFORM billing.lock_opening();
    rejection := billing.lock_bill_in_state(p_bill, 'void', p_reason);
    IF rejection IS NOT NULL THEN
        RETURN rejection;
    END IF;
    SELECT * INTO voided FROM billing.bills WHERE bill_id = p_bill;
    duplicate := billing.probable_duplicate(voided, NULL);
    IF duplicate.bill_id IS NOT NULL AND NOT p_allow_duplicates THEN
        RETURN billing.rejected('probable_duplicate', jsonb_build_object(
            'bill_id', duplicate.bill_id, 'provider_reference', duplicate.provider_reference
        ));
    END IF;
    reopened := billing.insert_bill_revision(voided, voided, voided.import_id);
    INSERT INTO billing.bill_reinstatements (bill_id, reason, operator, reinstated_at)
    VALUES (p_bill, p_reason, p_operator, reopened.issued_at);
    RETURN billing.done(jsonb_build_object(
        'bill_id', reopened.bill_id, 'replaces', p_bill, 'apartment_id', reopened.apartment_id,
        'reinstated_at', billing.instant(reopened.issued_at)
    ));
END
$$;
COMMENT ON FUNCTION api.reinstate_bill(uuid, text, text, boolean) IS
    'Takes back a void: the bill is owed again, under a new id, with a reason.';
