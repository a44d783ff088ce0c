"""The `solvent` command line."""
