"""The gates: what a reviewer would ask of the synthesized assemblies, as checks that can fail. `python -m gates`."""
