-- Where did the rows of every delivery go, source by source?
SELECT source, rows_in, rows_good, rows_quarantined, rows_duplicate, run_id
FROM ops.load_log
ORDER BY run_id, source
