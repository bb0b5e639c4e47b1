-- depends: 0004_payments
-- The history of settled debts, in an order that never changes and has no gap.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE billing.history (
    apartment_id uuid NOT NULL,
    seq bigint NOT NULL,
    posted_at timestamptz NOT NULL,
    event text NOT NULL,
    payment_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    CONSTRAINT history_pkey PRIMARY KEY (apartment_id, seq),
    -- Includes seq, so that finding the position of an instant reads only the index.
    CONSTRAINT history_instant_is_unique UNIQUE (apartment_id, posted_at) INCLUDE (seq),
    CONSTRAINT history_event_is_unique UNIQUE (payment_id, bill_id, event),
    CONSTRAINT history_is_of_a_line FOREIGN KEY (payment_id, bill_id, apartment_id)
        REFERENCES billing.payment_lines (payment_id, bill_id, apartment_id) ON DELETE RESTRICT,
    CONSTRAINT history_starts_at_one CHECK (seq > 0),
    CONSTRAINT history_event_is_known CHECK (event IN ('payment', 'reversal'))
);
COMMENT ON TABLE billing.history IS
    'One event per bill that was settled, and one when its payment was reversed.';
COMMENT ON COLUMN billing.history.seq IS 'Position in the apartment''s history: 1, 2, 3, no gap.';
COMMENT ON COLUMN billing.history.posted_at IS
    'Strictly grows with seq: the database''s clock once the apartment''s lock is held, at least a'
    ' microsecond after the event before. The ranges of a sync begin and end at these instants.';
