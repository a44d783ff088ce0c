"""The Redshift warehouse: a client of its Data API, migrations, and the loads of a run."""
