-- The role stays, with nothing to read.
REVOKE USAGE ON SCHEMA ops FROM ROLE regional_analyst;
DROP SCHEMA IF EXISTS regional CASCADE;
DROP RLS POLICY IF EXISTS own_regions CASCADE;
DROP TABLE IF EXISTS ops.regions_of_users;
