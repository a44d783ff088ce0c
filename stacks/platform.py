"""The one place where the stacks of an environment are wired together."""

from typing import Any

from constructs import Construct

from stacks.api import ApiStack
from stacks.config import Config
from stacks.erasure import ErasureStack
from stacks.etl import EtlStack
from stacks.extraction import ExtractionStack
from stacks.ingestion import IngestionStack
from stacks.lake import LakeStack
from stacks.network import NetworkStack
from stacks.observability import ObservabilityStack
from stacks.orchestration import OrchestrationStack
from stacks.serving import ServingStack
from stacks.training import TrainingStack
from stacks.warehouse import WarehouseStack


class Platform:
    """All stacks of one environment, flat under the app, so that plain `cdk deploy --all` works."""

    def __init__(self, app: Construct, config: Config) -> None:
        self.lake = LakeStack(app, config=config)
        self.network = NetworkStack(app, config=config, key=self.lake.key)
        base: dict[str, Any] = {"config": config, "lake": self.lake, "network": self.network}
        self.ingestion = IngestionStack(app, **base)
        self.etl = EtlStack(app, **base)
        self.extraction = ExtractionStack(app, **base)
        self.warehouse = WarehouseStack(app, **base)
        if config.warehouse.streaming_view:
            self.warehouse.add_stack_dependency(self.ingestion)  # there is no view on a stream that is not there
        self.erasure = ErasureStack(app, config=config, lake=self.lake, etl=self.etl, warehouse=self.warehouse)
        self.training = TrainingStack(app, **base)
        self.serving = ServingStack(app, **base)
        # `cdk destroy` takes serving first: its clean-up empties the model package groups, then training deletes them.
        self.serving.add_stack_dependency(self.training)
        self.orchestration = OrchestrationStack(
            app, **base, warehouse=self.warehouse, training=self.training, serving=self.serving
        )
        self.api = ApiStack(app, **base)
        self.observability = ObservabilityStack(
            app, config=config, ingestion=self.ingestion, etl=self.etl, orchestration=self.orchestration, api=self.api
        )
