-- As of which day does the warehouse report?
SELECT portfolio, MAX(as_of) AS as_of
FROM ops.load_log
GROUP BY portfolio
