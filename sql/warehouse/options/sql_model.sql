-- Models as functions of SQL: the loader makes them when an endpoint is in service, analysts and risk officers call
-- them. EXECUTE is granted with each model.
CREATE SCHEMA IF NOT EXISTS ml;
GRANT CREATE MODEL TO ROLE loader;
GRANT USAGE, CREATE ON SCHEMA ml TO ROLE loader;
GRANT USAGE ON SCHEMA ml TO ROLE analyst;
GRANT USAGE ON SCHEMA ml TO ROLE risk_officer;
