"""The AWS of a laptop: ministack in one process, plus the services, resource types and corrections that Solvent needs.

Started as `python -m embedded_aws`, driven by `embedded_aws.lifecycle`. Nothing that runs on AWS imports this package.
"""
