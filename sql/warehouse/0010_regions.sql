-- Analysts of a region: their IAM roles have the tag RedshiftDbRoles = regional_analyst. What the role may read comes
-- with the option row_level_security; without the option it reads nothing.
-- Runs once, in one transaction: Redshift knows no CREATE ROLE IF NOT EXISTS.
CREATE ROLE regional_analyst;
