"""What an environment costs at rest and for a run."""
