-- depends: 0001_schemas_and_roles
-- Residents, apartments, residencies, providers and utilities.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE billing.utilities (
    utility text NOT NULL,
    CONSTRAINT utilities_pkey PRIMARY KEY (utility),
    CONSTRAINT utility_is_a_lower_case_word CHECK (utility ~ '^[a-z][a-z_]{0,31}$')
);
COMMENT ON TABLE billing.utilities IS 'What is billed. Add a utility with a migration.';

INSERT INTO billing.utilities (utility) VALUES ('electricity'), ('gas'), ('water');

CREATE TABLE billing.providers (
    provider_id text NOT NULL,
    name text NOT NULL,
    CONSTRAINT providers_pkey PRIMARY KEY (provider_id),
    CONSTRAINT provider_id_is_short CHECK (provider_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    CONSTRAINT provider_name_is_not_blank CHECK (btrim(name) <> '' AND char_length(name) <= 200)
);
COMMENT ON TABLE billing.providers IS 'Companies that send bills.';
COMMENT ON COLUMN billing.providers.name IS
    'The current name. Receipts keep the name of their day (billing.payment_lines).';

CREATE TABLE billing.residents (
    resident_id uuid NOT NULL DEFAULT gen_random_uuid(),
    subject uuid NOT NULL,
    name text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT residents_pkey PRIMARY KEY (resident_id),
    CONSTRAINT resident_subject_is_unique UNIQUE (subject),
    CONSTRAINT resident_name_is_not_blank CHECK (btrim(name) <> '' AND char_length(name) <= 200)
);
COMMENT ON TABLE billing.residents IS 'People who pay.';
COMMENT ON COLUMN billing.residents.subject IS 'The sub of the person''s user in Cognito.';

CREATE TABLE billing.apartments (
    apartment_id uuid NOT NULL,
    address text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT apartments_pkey PRIMARY KEY (apartment_id),
    CONSTRAINT apartment_address_is_not_blank
        CHECK (btrim(address) <> '' AND char_length(address) <= 500)
);
COMMENT ON TABLE billing.apartments IS 'Apartments that bills are for.';

CREATE TABLE billing.apartment_state (
    apartment_id uuid NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    last_seq bigint NOT NULL DEFAULT 0,
    last_posted_at timestamptz,
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT apartment_state_pkey PRIMARY KEY (apartment_id),
    CONSTRAINT apartment_state_is_of_an_apartment FOREIGN KEY (apartment_id)
        REFERENCES billing.apartments (apartment_id) ON DELETE RESTRICT,
    CONSTRAINT apartment_version_is_positive CHECK (version > 0),
    CONSTRAINT apartment_last_seq_is_not_negative CHECK (last_seq >= 0),
    CONSTRAINT apartment_is_stamped_once_it_has_history
        CHECK ((last_seq = 0) = (last_posted_at IS NULL))
)
-- Every change of an apartment updates its row but no indexed column: leave room for HOT updates.
WITH (fillfactor = 70);
COMMENT ON TABLE billing.apartment_state IS
    'Version and head of history. Its row is the lock that every change of an apartment takes.';
COMMENT ON COLUMN billing.apartment_state.version IS
    'Grows by one with every change. A result computed at the same version is still valid.';
COMMENT ON COLUMN billing.apartment_state.last_seq IS
    'Position of the newest history event; 0 when there is none.';
COMMENT ON COLUMN billing.apartment_state.last_posted_at IS
    'Posting instant of the newest history event, the next one is later; null when there is none.';
COMMENT ON COLUMN billing.apartment_state.changed_in IS
    'Transaction that last raised the version, set by trigger. Other triggers reject changes of the'
    ' apartment in a transaction that has not raised it.';

CREATE TABLE billing.residencies (
    resident_id uuid NOT NULL,
    apartment_id uuid NOT NULL,
    since timestamptz NOT NULL,
    ended_at timestamptz,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT residencies_pkey PRIMARY KEY (resident_id, apartment_id, granted_at),
    CONSTRAINT residency_is_of_a_resident FOREIGN KEY (resident_id)
        REFERENCES billing.residents (resident_id) ON DELETE RESTRICT,
    CONSTRAINT residency_is_in_an_apartment FOREIGN KEY (apartment_id)
        REFERENCES billing.apartments (apartment_id) ON DELETE RESTRICT,
    CONSTRAINT residency_since_is_finite CHECK (isfinite(since)),
    CONSTRAINT residency_ends_after_it_began CHECK (ended_at >= since)
);
COMMENT ON TABLE billing.residencies IS
    'Who may act for an apartment, and what they may see of it.';
COMMENT ON COLUMN billing.residencies.since IS
    'The resident may act from this instant on and sees no history from before it.';
COMMENT ON COLUMN billing.residencies.ended_at IS 'Null while the residency lasts.';

CREATE UNIQUE INDEX residency_lasts_once
    ON billing.residencies (resident_id, apartment_id) WHERE ended_at IS NULL;
COMMENT ON INDEX billing.residency_lasts_once IS
    'At most one residency that has not ended per resident and apartment; answers who may act.';
