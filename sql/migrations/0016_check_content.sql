-- depends: 0013_checks
-- A check remembers what the bills of an apartment said, so that they can't change behind its back.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE billing.apartment_checks ADD COLUMN content text NOT NULL DEFAULT '';
COMMENT ON COLUMN billing.apartment_checks.content IS
    'Hash of its bills at this version; empty when none was taken yet.';
