-- depends: 0002_people_and_apartments
-- Bills never change: a correction is a new revision. What is owed is a small table of its own.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE billing.imports (
    import_id uuid NOT NULL,
    file_name text NOT NULL,
    sha256 text NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT imports_pkey PRIMARY KEY (import_id),
    CONSTRAINT import_file_name_is_not_blank CHECK (btrim(file_name) <> ''),
    CONSTRAINT import_sha256_is_hexadecimal CHECK (sha256 ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE billing.imports IS 'Imported files of bills, each sent in one or more chunks.';
COMMENT ON COLUMN billing.imports.sha256 IS
    'Of the file''s bytes. The same file imported again adds nothing, even after a correction.';

CREATE TABLE billing.bills (
    bill_id uuid NOT NULL DEFAULT gen_random_uuid(),
    apartment_id uuid NOT NULL,
    utility text NOT NULL,
    provider_id text NOT NULL,
    provider_reference text NOT NULL,
    revision integer NOT NULL,
    replaces uuid,
    period_from date NOT NULL,
    period_to date NOT NULL,
    due_on date NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    import_id uuid NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT bills_pkey PRIMARY KEY (bill_id),
    CONSTRAINT bill_revision_is_unique UNIQUE (provider_id, provider_reference, revision),
    CONSTRAINT bill_is_replaced_once UNIQUE (replaces),
    CONSTRAINT bill_money_can_be_referred_to
        UNIQUE (bill_id, apartment_id, amount_minor, currency),
    CONSTRAINT bill_origin_can_be_referred_to
        UNIQUE (bill_id, apartment_id, provider_id, provider_reference),
    CONSTRAINT bill_is_for_an_apartment FOREIGN KEY (apartment_id)
        REFERENCES billing.apartments (apartment_id) ON DELETE RESTRICT,
    CONSTRAINT bill_is_for_a_utility FOREIGN KEY (utility)
        REFERENCES billing.utilities (utility) ON DELETE RESTRICT,
    CONSTRAINT bill_is_from_a_provider FOREIGN KEY (provider_id)
        REFERENCES billing.providers (provider_id) ON DELETE RESTRICT,
    CONSTRAINT bill_came_with_an_import FOREIGN KEY (import_id)
        REFERENCES billing.imports (import_id) ON DELETE RESTRICT,
    CONSTRAINT bill_replaces_one_of_its_origin
        FOREIGN KEY (replaces, apartment_id, provider_id, provider_reference)
        REFERENCES billing.bills (bill_id, apartment_id, provider_id, provider_reference)
        ON DELETE RESTRICT,
    CONSTRAINT bill_reference_is_not_blank
        CHECK (btrim(provider_reference) <> '' AND char_length(provider_reference) <= 200),
    CONSTRAINT bill_revision_is_positive CHECK (revision > 0),
    CONSTRAINT bill_first_revision_replaces_nothing CHECK ((revision = 1) = (replaces IS NULL)),
    CONSTRAINT bill_period_is_in_order CHECK (period_from <= period_to),
    CONSTRAINT bill_amount_is_positive CHECK (amount_minor > 0),
    -- A thousand such bills still add up to an integer that JavaScript represents exactly.
    CONSTRAINT bill_amount_is_sane CHECK (amount_minor <= 1000000000000),
    CONSTRAINT bill_currency_is_a_code CHECK (currency ~ '^[A-Z]{3}$')
);
COMMENT ON TABLE billing.bills IS 'Every bill in every revision. Rows never change.';
COMMENT ON COLUMN billing.bills.provider_reference IS
    'The provider''s own number of the bill, by which the same bill is recognized.';
COMMENT ON COLUMN billing.bills.replaces IS
    'The revision that this one corrects; null for the first. A replaced bill is no longer owed.';
COMMENT ON COLUMN billing.bills.amount_minor IS 'In minor units of the currency: cents for EUR.';
COMMENT ON COLUMN billing.bills.currency IS 'ISO 4217.';

CREATE TABLE billing.open_bills (
    bill_id uuid NOT NULL,
    apartment_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    CONSTRAINT open_bills_pkey PRIMARY KEY (bill_id),
    CONSTRAINT open_bill_says_what_the_bill_says
        FOREIGN KEY (bill_id, apartment_id, amount_minor, currency)
        REFERENCES billing.bills (bill_id, apartment_id, amount_minor, currency)
        ON DELETE RESTRICT
);
COMMENT ON TABLE billing.open_bills IS
    'What is owed now. A row goes when its bill is paid, voided or replaced.';

CREATE INDEX open_bills_of_an_apartment ON billing.open_bills (apartment_id);

CREATE TABLE billing.bill_voids (
    bill_id uuid NOT NULL,
    reason text NOT NULL,
    operator text NOT NULL,
    voided_at timestamptz NOT NULL,
    CONSTRAINT bill_voids_pkey PRIMARY KEY (bill_id),
    CONSTRAINT void_is_of_a_bill FOREIGN KEY (bill_id)
        REFERENCES billing.bills (bill_id) ON DELETE RESTRICT,
    CONSTRAINT void_has_a_reason CHECK (btrim(reason) <> ''),
    CONSTRAINT void_has_an_operator CHECK (btrim(operator) <> '')
);
COMMENT ON TABLE billing.bill_voids IS
    'Bills that were withdrawn without a correction, by whom and why.';
