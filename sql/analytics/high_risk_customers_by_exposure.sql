-- Which high-risk customers owe most?
SELECT position, customer_id, outstanding_principal, open_loans, days_past_due, probability, band, reason_1, reason_2
FROM (
  SELECT
    h.*,
    ROW_NUMBER() OVER (ORDER BY h.outstanding_principal DESC, h.customer_id) AS position
  FROM marts.high_risk_customers AS h
) AS ranked
WHERE position <= CAST(:limit AS INTEGER)
ORDER BY position
