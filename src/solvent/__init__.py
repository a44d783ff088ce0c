"""Solvent: the shared package of the platform.

The core (contracts, scorecard, specification, delivery, naming) is pure Python; adapters to AWS, DuckDB and Spark
live at the edge and are imported where they are used.
"""

__version__ = "0.1.0"
