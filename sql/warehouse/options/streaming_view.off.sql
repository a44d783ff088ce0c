-- What the view held stays in the raw zone, and in lending.application_events once it was delivered. The procedure stays,
-- for nobody: Redshift knows no DROP PROCEDURE IF EXISTS, so dropping it could not run again.
REVOKE EXECUTE ON PROCEDURE ops.refresh_application_events_live() FROM ROLE analyst;
REVOKE EXECUTE ON PROCEDURE ops.refresh_application_events_live() FROM ROLE risk_officer;
DROP MATERIALIZED VIEW IF EXISTS marts.application_events_live;
DROP SCHEMA IF EXISTS events CASCADE;
