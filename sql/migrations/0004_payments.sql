-- depends: 0003_bills
-- Payments, their lines and their reversals: written once, never changed.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Receipt numbers are printed with ten digits; the sequence stops rather than outgrow them.
CREATE SEQUENCE billing.receipt_numbers AS bigint MAXVALUE 9999999999 NO CYCLE;
COMMENT ON SEQUENCE billing.receipt_numbers IS
    'Numbers of receipts. A rolled back payment may leave a gap.';

CREATE TABLE billing.payments (
    payment_id uuid NOT NULL DEFAULT gen_random_uuid(),
    receipt_number text NOT NULL,
    resident_id uuid NOT NULL,
    apartment_id uuid NOT NULL,
    total_minor bigint NOT NULL,
    currency text NOT NULL,
    settled_at timestamptz NOT NULL,
    CONSTRAINT payments_pkey PRIMARY KEY (payment_id),
    CONSTRAINT payment_receipt_number_is_unique UNIQUE (receipt_number),
    CONSTRAINT payment_place_can_be_referred_to UNIQUE (payment_id, apartment_id, currency),
    CONSTRAINT payment_payer_can_be_referred_to UNIQUE (payment_id, resident_id),
    CONSTRAINT payment_is_by_a_resident FOREIGN KEY (resident_id)
        REFERENCES billing.residents (resident_id) ON DELETE RESTRICT,
    CONSTRAINT payment_is_for_an_apartment FOREIGN KEY (apartment_id)
        REFERENCES billing.apartments (apartment_id) ON DELETE RESTRICT,
    CONSTRAINT payment_receipt_number_is_readable
        CHECK (receipt_number ~ '^R-[0-9]{4}-[0-9]{10}$'),
    CONSTRAINT payment_total_is_positive CHECK (total_minor > 0),
    CONSTRAINT payment_currency_is_a_code CHECK (currency ~ '^[A-Z]{3}$')
);
COMMENT ON TABLE billing.payments IS 'One row per payment; with its lines it is the receipt.';
COMMENT ON COLUMN billing.payments.settled_at IS
    'Posting instant of the payment''s first line, stamped under the apartment''s lock.';

CREATE INDEX payments_by_time ON billing.payments (settled_at);

CREATE TABLE billing.payment_lines (
    payment_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    apartment_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    utility text NOT NULL,
    provider_id text NOT NULL,
    provider_name text NOT NULL,
    period_from date NOT NULL,
    period_to date NOT NULL,
    CONSTRAINT payment_lines_pkey PRIMARY KEY (payment_id, bill_id),
    CONSTRAINT line_place_can_be_referred_to UNIQUE (payment_id, bill_id, apartment_id),
    CONSTRAINT line_belongs_to_its_payment FOREIGN KEY (payment_id, apartment_id, currency)
        REFERENCES billing.payments (payment_id, apartment_id, currency) ON DELETE RESTRICT,
    CONSTRAINT line_says_what_the_bill_says
        FOREIGN KEY (bill_id, apartment_id, amount_minor, currency)
        REFERENCES billing.bills (bill_id, apartment_id, amount_minor, currency)
        ON DELETE RESTRICT
);
COMMENT ON TABLE billing.payment_lines IS
    'One row per bill that a payment settled. The foreign keys keep amount, currency and apartment'
    ' equal to the bill''s and the payment''s.';
COMMENT ON COLUMN billing.payment_lines.provider_name IS
    'The name on the day of the payment: a receipt does not change when a provider is renamed.';

CREATE TABLE billing.settled_bills (
    bill_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    apartment_id uuid NOT NULL,
    CONSTRAINT settled_bills_pkey PRIMARY KEY (bill_id),
    CONSTRAINT settled_bill_has_a_line FOREIGN KEY (payment_id, bill_id, apartment_id)
        REFERENCES billing.payment_lines (payment_id, bill_id, apartment_id) ON DELETE RESTRICT
);
COMMENT ON TABLE billing.settled_bills IS
    'The line that settles a bill now. The primary key makes a second payment of a bill impossible;'
    ' a reversal deletes the row.';

CREATE INDEX settled_bills_of_a_payment ON billing.settled_bills (payment_id);

CREATE TABLE billing.payment_requests (
    resident_id uuid NOT NULL,
    request_key text NOT NULL,
    fingerprint text NOT NULL,
    payment_id uuid,
    rejection jsonb,
    answered_at timestamptz NOT NULL,
    CONSTRAINT payment_requests_pkey PRIMARY KEY (resident_id, request_key),
    CONSTRAINT request_payment_is_unique UNIQUE (payment_id),
    CONSTRAINT request_is_by_a_resident FOREIGN KEY (resident_id)
        REFERENCES billing.residents (resident_id) ON DELETE RESTRICT,
    CONSTRAINT request_made_a_payment_of_its_resident FOREIGN KEY (payment_id, resident_id)
        REFERENCES billing.payments (payment_id, resident_id) ON DELETE RESTRICT,
    CONSTRAINT request_key_is_short CHECK (char_length(request_key) BETWEEN 1 AND 200),
    CONSTRAINT request_fingerprint_is_hexadecimal CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    CONSTRAINT request_is_settled_or_rejected CHECK (num_nonnulls(payment_id, rejection) = 1),
    CONSTRAINT request_rejection_has_a_code
        CHECK (rejection IS NULL OR coalesce(rejection ->> 'code', '') <> '')
);
COMMENT ON TABLE billing.payment_requests IS
    'The answer to each payment request, kept for ever: a message that is delivered again after'
    ' months gets the same answer.';
COMMENT ON COLUMN billing.payment_requests.request_key IS
    'Idempotency key, unique per resident.';
COMMENT ON COLUMN billing.payment_requests.fingerprint IS
    'SHA-256 of apartment, set of bills and expected total. The key is rejected with another one.';
COMMENT ON COLUMN billing.payment_requests.rejection IS
    'Status, code and data; null if a payment was made, whose receipt is then the answer.';

CREATE TABLE billing.reversals (
    reversal_id uuid NOT NULL DEFAULT gen_random_uuid(),
    payment_id uuid NOT NULL,
    reason text NOT NULL,
    operator text NOT NULL,
    reversed_at timestamptz NOT NULL,
    CONSTRAINT reversals_pkey PRIMARY KEY (reversal_id),
    CONSTRAINT payment_is_reversed_once UNIQUE (payment_id),
    CONSTRAINT reversal_is_of_a_payment FOREIGN KEY (payment_id)
        REFERENCES billing.payments (payment_id) ON DELETE RESTRICT,
    CONSTRAINT reversal_has_a_reason CHECK (btrim(reason) <> ''),
    CONSTRAINT reversal_has_an_operator CHECK (btrim(operator) <> '')
);
COMMENT ON TABLE billing.reversals IS
    'Reversed payments, always whole, by whom and why; their bills are owed again.';

CREATE INDEX reversals_by_time ON billing.reversals (reversed_at);
