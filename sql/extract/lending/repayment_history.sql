-- Instalments with what was paid. A payment that the core system calls off stays, as an instalment without payment.
SELECT
    payment_id,
    loan_id,
    instalment_number,
    due_date,
    paid_date,
    amount_due,
    amount_paid,
    recovered_amount,
    status,
    updated_at
FROM repayment_history
