"""Measurements. Each module writes results/NAME.json with a list of checks; docs/benchmarks.md quotes them."""
