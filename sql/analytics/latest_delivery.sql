-- As of which day is the latest delivery of a portfolio? Parameter: portfolio. Reads ops.load_log.
SELECT MAX(as_of) AS as_of
FROM ops.load_log
WHERE portfolio = :portfolio
