-- depends: 0009_bill_identity 0010_time_zone 0012_small_rejections
-- The check of the ledger goes through it in pages and remembers which apartments it has seen.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '600s';

-- A page reads all that belongs to some apartments, and nothing else; so do these of bills,
-- bills_of_an_apartment, and of history, its primary key.
CREATE INDEX payments_of_an_apartment ON billing.payments (apartment_id);
CREATE INDEX residencies_of_an_apartment ON billing.residencies (apartment_id);

CREATE TABLE billing.apartment_checks (
    apartment_id uuid NOT NULL,
    version bigint NOT NULL,
    last_seq bigint NOT NULL,
    checked_at timestamptz NOT NULL,
    agrees boolean NOT NULL,
    CONSTRAINT apartment_checks_pkey PRIMARY KEY (apartment_id),
    CONSTRAINT check_is_of_an_apartment FOREIGN KEY (apartment_id)
        REFERENCES billing.apartments (apartment_id) ON DELETE RESTRICT
)
-- Every check updates its row but no indexed column: leave room for HOT updates.
WITH (fillfactor = 70);
COMMENT ON TABLE billing.apartment_checks IS
    'The last check of each apartment. One whose version has moved since, or that did not agree, is'
    ' checked again first.';
COMMENT ON COLUMN billing.apartment_checks.version IS
    'The apartment''s version when it last agreed. It never falls.';
COMMENT ON COLUMN billing.apartment_checks.last_seq IS
    'The head of its history when it last agreed. It never falls.';

-- No apartment was checked yet; how long it waits counts from now.
INSERT INTO billing.apartment_checks
SELECT apartment_id, 0, 0, clock_timestamp(), false FROM billing.apartments;

CREATE TABLE billing.check_positions (
    pass text NOT NULL,
    next_apartment uuid NOT NULL,
    CONSTRAINT check_positions_pkey PRIMARY KEY (pass),
    CONSTRAINT check_pass_is_known CHECK (pass IN ('changed', 'all'))
);
COMMENT ON TABLE billing.check_positions IS
    'Where each pass of the scheduled check goes on: the first apartment that it has not checked.';
