-- The models stay: they cost nothing, and whoever switches the option on again finds them.
REVOKE USAGE ON SCHEMA ml FROM ROLE risk_officer;
REVOKE USAGE ON SCHEMA ml FROM ROLE analyst;
REVOKE USAGE, CREATE ON SCHEMA ml FROM ROLE loader;
REVOKE CREATE MODEL FROM ROLE loader;
