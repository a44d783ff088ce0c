"""Single faults, seeded into a copy of our own assembly: each must be named by a gate. `python -m gates.faults`."""
