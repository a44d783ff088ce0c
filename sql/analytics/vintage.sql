-- How do arrears build up in the loans of one month?
SELECT v.months_on_book, v.loans, v.past_30, v.past_90, v.share_30, v.share_90, v.share_90_by_amount
FROM marts.vintage_curves AS v
WHERE v.cohort = CAST(:cohort AS DATE)
ORDER BY v.months_on_book
