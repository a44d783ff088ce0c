-- The ledger of migrations. Runs before every plan, so it may only hold statements that can run again.
CREATE SCHEMA IF NOT EXISTS ops;

CREATE TABLE IF NOT EXISTS ops.schema_migrations (
  version VARCHAR(4) NOT NULL,
  name VARCHAR(120) NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  applied_at TIMESTAMP NOT NULL,
  PRIMARY KEY (version)
) DISTSTYLE ALL SORTKEY (version);
