-- depends: 0008_payment_age
-- What a day is: the time zone of the deployment, in one place for SQL and for the functions.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE billing.deployment (
    time_zone text NOT NULL,
    is_the_only_row boolean NOT NULL DEFAULT TRUE,
    CONSTRAINT deployment_pkey PRIMARY KEY (is_the_only_row),
    CONSTRAINT deployment_has_one_row CHECK (is_the_only_row)
);
COMMENT ON TABLE billing.deployment IS 'What holds for the whole deployment.';
COMMENT ON COLUMN billing.deployment.time_zone IS
    'IANA name of the time zone in which days begin and end. The migration sets it.';

INSERT INTO billing.deployment (time_zone) VALUES ('UTC');
