-- What a delivery kept and deleted of earlier ones.
ALTER TABLE ops.load_log ADD COLUMN rows_kept BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ops.load_log ADD COLUMN rows_tombstone BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ops.load_log ADD COLUMN rows_deleted BIGINT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS ops.deletion_log (
  run_id VARCHAR(16) NOT NULL,
  source VARCHAR(64) NOT NULL,
  record_key VARCHAR(256) NOT NULL,
  deleted_on DATE NOT NULL,
  why VARCHAR(30) NOT NULL,
  PRIMARY KEY (run_id, source, record_key)
) DISTSTYLE AUTO SORTKEY (run_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE ops.deletion_log TO ROLE loader;
GRANT SELECT ON TABLE ops.deletion_log TO ROLE analyst;
GRANT SELECT ON TABLE ops.deletion_log TO ROLE risk_officer;

COMMENT ON TABLE ops.deletion_log IS 'One row per run and deleted row.';
COMMENT ON COLUMN ops.deletion_log.run_id IS 'The run';
COMMENT ON COLUMN ops.deletion_log.source IS 'The source contract';
COMMENT ON COLUMN ops.deletion_log.record_key IS 'Key of the deleted row, its columns separated by |';
COMMENT ON COLUMN ops.deletion_log.deleted_on IS 'Day of the deletion';
COMMENT ON COLUMN ops.deletion_log.why IS 'How the delivery said so';
COMMENT ON COLUMN ops.load_log.rows_good IS 'Rows that were accepted, tombstones among them';
COMMENT ON COLUMN ops.load_log.rows_kept IS 'Rows of the delivery before that stay in the cleaned table';
COMMENT ON COLUMN ops.load_log.rows_tombstone IS 'Accepted rows that say that a row was deleted';
COMMENT ON COLUMN ops.load_log.rows_deleted IS 'Keys that this delivery deleted, by tombstone or by absence';
