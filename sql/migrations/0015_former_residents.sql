-- depends: 0011_reply_queue_claims 0013_checks
-- Former residents go on owing what was billed for their time: decision 0016.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE billing.history ADD COLUMN for_payer_alone boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN billing.history.for_payer_alone IS
    'Nobody who owed the bill lived in the apartment when the event was posted.';
