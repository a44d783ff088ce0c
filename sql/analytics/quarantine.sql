-- What is in quarantine and why?
SELECT l.portfolio, l.as_of, q.run_id, q.source, q.kind, q.reason, COUNT(*) AS rows_quarantined
FROM ops.quarantine_log AS q
JOIN ops.load_log AS l ON l.run_id = q.run_id AND l.source = q.source
GROUP BY l.portfolio, l.as_of, q.run_id, q.source, q.kind, q.reason
ORDER BY l.as_of DESC, q.run_id, q.source, rows_quarantined DESC, q.reason
