"""What every stack has: the configuration, the names, and physical names of things that other stacks own."""

from aws_cdk import Aws, Environment, RemovalPolicy, Stack
from constructs import Construct

from stacks.config import Config


class SolventStack(Stack):
    """A stack of one environment: region set, account left to the deploy."""

    def __init__(self, scope: Construct, part: str, *, config: Config, description: str) -> None:
        self.config = config
        self.names = config.names
        super().__init__(
            scope,
            self.names.stack(part),
            env=Environment(region=config.region),
            description=f"Solvent ({config.environment}): {description}",
            termination_protection=not config.removable,
        )
        self.tags.set_tag("solvent:environment", config.environment)

    @property
    def removal_policy(self) -> RemovalPolicy:
        """Of everything that holds data."""
        return RemovalPolicy.DESTROY if self.config.removable else RemovalPolicy.RETAIN

    def bucket_name(self, zone: str) -> str:
        return self.names.bucket(zone, Aws.ACCOUNT_ID, self.config.region)

    def objects(self, zone: str, *prefixes: str) -> list[str]:
        """ARNs of the objects of a zone's bucket below prefixes (all of it without one)."""
        return [f"arn:aws:s3:::{self.bucket_name(zone)}/{prefix}*" for prefix in prefixes or ("",)]

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.config.region}:{Aws.ACCOUNT_ID}:{resource}"
