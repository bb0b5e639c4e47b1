-- depends: 0007_rules
-- api.pay has one more argument. The function with fewer would make calls ambiguous.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP FUNCTION IF EXISTS api.pay(uuid, text, uuid, uuid[], bigint);
