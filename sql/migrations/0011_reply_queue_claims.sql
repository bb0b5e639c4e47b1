-- depends: 0010_time_zone
-- The sweeper claims a reply queue before it deletes it. Nobody registers one that is claimed,
-- since SQS takes messages for a queue that is being deleted, and loses them.
-- A sweep of the package before this one may fail while this is deployed; the next one goes on.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE billing.reply_queues ADD COLUMN claimed_until timestamptz;
COMMENT ON COLUMN billing.reply_queues.claimed_until IS
    'The sweeper deletes the queue, and SQS is not done with that before then; null: not claimed.';
