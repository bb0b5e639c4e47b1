-- Which of the things that a line of an import names is unknown: apartment_not_found,
-- provider_not_found, utility_not_found; null when all are known.

CREATE OR REPLACE FUNCTION billing.unknown_in_line(p_line billing.bills) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE
        WHEN NOT EXISTS (SELECT FROM billing.apartments WHERE apartment_id = p_line.apartment_id)
            THEN 'apartment_not_found'
        WHEN NOT EXISTS (SELECT FROM billing.providers WHERE provider_id = p_line.provider_id)
            THEN 'provider_not_found'
        WHEN NOT EXISTS (SELECT FROM billing.utilities WHERE utility = p_line.utility)
            THEN 'utility_not_found'
    END;
END
$$;
COMMENT ON FUNCTION billing.unknown_in_line(billing.bills) IS
    'The code for an unknown apartment, provider or utility in a line; null when all are known.';
