-- Who lives or lived in an apartment, and the lock that every change of an apartment takes first.

CREATE OR REPLACE FUNCTION billing.resident_of(p_subject uuid) RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT resident_id FROM billing.residents WHERE subject = p_subject
$$;

-- The only place that decides whether a resident may see and pay something of an apartment now:
-- returns their present residency there or else the last one, no row if they never had one. Now is
-- not before the last event, even after the server's clock was set back.
CREATE OR REPLACE FUNCTION billing.residency_of(p_resident uuid, p_apartment uuid)
RETURNS SETOF billing.residencies
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT r.* FROM billing.residencies r
    JOIN billing.apartment_state s ON s.apartment_id = r.apartment_id
    WHERE r.resident_id = p_resident AND r.apartment_id = p_apartment
        AND r.since <= greatest(clock_timestamp(), s.last_posted_at + interval '1 microsecond')
        AND coalesce(r.ended_at, 'infinity') > r.since
    ORDER BY r.ended_at DESC, r.granted_at DESC LIMIT 1
$$;

-- Whether the apartment is this resident's now; a former one's is not.
CREATE OR REPLACE FUNCTION billing.lives_there(p_resident uuid, p_apartment uuid)
RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM billing.residency_of(p_resident, p_apartment) r WHERE r.ended_at IS NULL
    )
$$;

-- Locks the apartments' state rows in the order of their ids, so that two transactions never wait
-- for each other. Ignores unknown ids. Statements after this call see what the previous holder of
-- the lock committed.
CREATE OR REPLACE FUNCTION billing.lock_apartments(p_apartments uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM billing.apartment_state
    WHERE apartment_id = ANY (p_apartments)
    ORDER BY apartment_id
    FOR UPDATE;
END
$$;

-- Locks the apartment if this resident lives or lived in it, and returns whether they did. Checks
-- before locking, so that strangers can't hold up an apartment. Nobody loses this right.
CREATE OR REPLACE FUNCTION billing.lock_apartment_for(p_resident uuid, p_apartment uuid)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM billing.residency_of(p_resident, p_apartment)) THEN
        RETURN false;
    END IF;
    PERFORM billing.lock_apartments(ARRAY[p_apartment]);
    RETURN true;
END
$$;

-- Whatever opens bills (imports, reversals) takes this lock before any other, and so does the
-- renaming of a provider: meanwhile no further apartment comes to owe it something.
CREATE OR REPLACE FUNCTION billing.lock_opening() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('billing.lock_opening', 0));
END
$$;

-- Adds one to the version of a locked apartment, before a change that is not a history event. Once
-- per transaction is enough: others see only the result of the whole transaction.
CREATE OR REPLACE FUNCTION billing.bump_version(p_apartment uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing.apartment_state SET version = version + 1
    WHERE apartment_id = p_apartment AND changed_in <> pg_current_xact_id();
END
$$;

-- Why an operator can't change this residency: resident_not_found or apartment_not_found; null if
-- both exist. Only operators are told which of the two is missing.
CREATE OR REPLACE FUNCTION billing.residency_rejection(p_resident uuid, p_apartment uuid)
RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE
        WHEN p_resident IS NULL THEN billing.rejected('resident_not_found')
        WHEN NOT EXISTS (SELECT FROM billing.apartments WHERE apartment_id = p_apartment)
            THEN billing.rejected('apartment_not_found')
    END;
END
$$;

-- Whether a residency exists that has not ended, even if it has yet to begin.
CREATE OR REPLACE FUNCTION billing.has_residency(p_resident uuid, p_apartment uuid)
RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM billing.residencies
        WHERE resident_id = p_resident AND apartment_id = p_apartment AND ended_at IS NULL
    )
$$;
