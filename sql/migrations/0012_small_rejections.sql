-- depends: 0010_time_zone
-- Rejections are stored for ever, so each is small, and a resident gets only so many an hour.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE billing.payment_requests ADD COLUMN requested_at timestamptz;
COMMENT ON COLUMN billing.payment_requests.requested_at IS
    'When the gateway took the request; null in rows that are older than this column.';

CREATE INDEX rejections_of_a_resident ON billing.payment_requests (resident_id, requested_at)
WHERE rejection IS NOT NULL;

-- Not checked for the rows that are there.
ALTER TABLE billing.payment_requests ADD CONSTRAINT request_rejection_is_small
CHECK (octet_length(rejection::text) <= 2000) NOT VALID;
