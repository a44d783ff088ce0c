"""The environment variables of this function, read once."""

from dataclasses import dataclass, field

from solvent.settings import FromEnvironment


@dataclass(frozen=True)
class Settings(FromEnvironment):
    """The environment, after which experiments are named, and where MLflow is: the ARN of SageMaker's app."""

    environment: str
    tracking_uri: str = field(metadata={"variable": "MLFLOW_TRACKING_URI"})
