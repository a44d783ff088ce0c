"""Databases, and files that they exported, become deliveries in landing. The story is told in `extract.run`."""
