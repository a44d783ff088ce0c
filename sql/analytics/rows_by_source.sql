-- Where did the rows of every delivery go, source by source? Reads ops.load_log.
SELECT source, rows_in, rows_good, rows_quarantined, rows_duplicate, run_id
FROM ops.load_log
ORDER BY run_id, source
