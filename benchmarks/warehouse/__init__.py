"""The lending warehouse that `make bench-sql` measures."""
