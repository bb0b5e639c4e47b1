-- depends: 0001_schemas_and_roles
-- The registry that the sweeper reads: listing a million queues does not scale.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE billing.reply_queues (
    name text NOT NULL,
    subject uuid,
    expires_at timestamptz NOT NULL,
    CONSTRAINT reply_queues_pkey PRIMARY KEY (name),
    CONSTRAINT reply_queue_name_fits_sqs CHECK (name ~ '^[A-Za-z0-9_-]{1,80}$')
);
COMMENT ON TABLE billing.reply_queues IS 'Reply queues that exist and have not been swept yet.';
COMMENT ON COLUMN billing.reply_queues.subject IS
    'Owner (sub in Cognito); null for a queue that was created for a login.';
COMMENT ON COLUMN billing.reply_queues.expires_at IS 'The sweeper may delete the queue after this.';

CREATE INDEX reply_queues_by_expiry ON billing.reply_queues (expires_at);
