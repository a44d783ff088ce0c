"""The same work by five sides: repayments -> behaviour features of the open loans at the latest month end."""
