"""Who may do what in the embedded Redshift: principals, privileges, masking and row-level security, enforced."""
