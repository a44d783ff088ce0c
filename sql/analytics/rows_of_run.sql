-- Where did the rows of a delivery go?
SELECT
    SUM(rows_in) AS rows_in,
    SUM(rows_good) AS good,
    SUM(rows_quarantined) AS quarantined,
    SUM(rows_duplicate) AS duplicates
FROM ops.load_log
WHERE run_id = :run_id
