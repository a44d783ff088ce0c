"""Redshift Serverless and the Redshift Data API, on DuckDB. `differences` lists what is not as on AWS."""


def register() -> None:
    """Add both services to the embedded AWS, which must be importable: the SQL engine alone does not need it."""
    from embedded_aws.redshift import control, data_api

    control.register()
    data_api.register()
