"""The functions behind the state machines: ledger and lock, warehouse load, model gate, log of experiments."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from solvent import naming
from stacks import bundling, packages
from stacks.constructs.base import SolventStack
from stacks.constructs.function import CALLED_BY_STATES, RUNTIME, Function
from stacks.constructs.permissions import OBJECTS, UPLOAD, allow, use_key
from stacks.lake import LakeStack
from stacks.network import NetworkStack
from stacks.training import MLFLOW_ARTIFACTS, TrainingStack
from stacks.warehouse import WarehouseStack, own_statements


class RunFunctions:
    """run_control, warehouse_load, model_gate and experiment_log, each with what it calls and nothing else."""

    def __init__(
        self,
        stack: SolventStack,
        *,
        lake: LakeStack,
        network: NetworkStack,
        warehouse: WarehouseStack,
        training: TrainingStack,
        runs: dynamodb.TableV2,
    ) -> None:
        self._stack, self._lake, self._network = stack, lake, network
        self.run_control = self._run_control(runs)
        self.warehouse_load = self._warehouse_load(warehouse)
        self.model_gate = self._model_gate()
        self.experiment_log = self._experiment_log(training)

    def _function(self, construct_id: str, name: str, description: str, **options: object) -> Function:
        return Function(
            self._stack,
            construct_id,
            name=name,
            description=description,
            key=self._lake.key,
            network=self._network,
            no_dead_letters=CALLED_BY_STATES,
            **options,  # type: ignore[arg-type]
        )

    def _run_control(self, runs: dynamodb.TableV2) -> Function:
        function = self._function(
            "RunControl",
            "run-control",
            "Begins, pauses, completes and fails phases of runs: lock, ledger, champion, reports, old configurations",
            environment={"CODE_VERSION": bundling.build().code_version},
            timeout_seconds=60,
        )
        role, stack = function.own_role, self._stack
        use_key(role, self._lake.key, write=True)
        allow(
            role,
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            on=[runs.table_arn],
        )
        # DynamoDB uses the table's key as the caller; these are the actions that CDK's own grants give.
        allow(
            role,
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
            on=[self._lake.key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"dynamodb.{stack.config.region}.amazonaws.com"}},
        )
        allow(role, "s3:GetObject", on=[f"{stack.objects('landing')[0]}/manifest.json"], why=OBJECTS)
        _list(role, stack, "landing")  # without it S3 answers 403, not 404, for a manifest that is not there
        allow(role, "s3:PutObject", on=stack.objects("artifacts", "runs/"), why=OBJECTS)
        allow(
            role,
            "states:DescribeExecution",
            "states:GetExecutionHistory",
            on=[stack.arn("states", f"execution:{stack.names.state_machine(phase)}:*") for phase in naming.PHASES],
            why="executions are named at run time",
        )
        # Who holds a lock may be the job that erases.
        allow(role, "glue:GetJobRun", on=[stack.arn("glue", f"job/{stack.names.erase_job}")])
        _find_champion(role, stack)
        for kind, action in (("endpoint-config", "DeleteEndpointConfig"), ("model", "DeleteModel")):
            allow(
                role,
                f"sagemaker:{action}",
                on=[stack.arn("sagemaker", f"{kind}/{stack.names.prefix}-*")],
                why="old endpoint configurations and their models, which have a run id in their names",
            )
        allow(role, "sagemaker:ListEndpointConfigs", on=["*"], why="this List action knows no resources")
        return function

    def _warehouse_load(self, warehouse: WarehouseStack) -> Function:
        function = self._function(
            "WarehouseLoad",
            "warehouse-load",
            "Submits the load of a run as one transaction, and the refresh of the marts; makes models functions of SQL",
            timeout_seconds=120,
        )
        allow(
            function.own_role,
            "redshift-data:BatchExecuteStatement",
            "redshift-data:ExecuteStatement",
            "redshift-serverless:GetCredentials",
            on=[warehouse.workgroup_arn],
        )
        own_statements(function.own_role)  # what COPY refused is read back
        use_key(function.own_role, self._lake.key, write=True)
        allow(function.own_role, "s3:GetObject", on=self._stack.objects("artifacts", "runs/"), why=OBJECTS)
        refused = self._stack.objects("quarantine", *map(naming.copy_errors_prefix, naming.PORTFOLIOS))
        allow(function.own_role, "s3:PutObject", on=refused, why=OBJECTS)
        return function

    def _model_gate(self) -> Function:
        function = self._function(
            "ModelGate",
            "model-gate",
            "Compares a trained model with the specification's gates and with the champion",
            timeout_seconds=120,
            memory_mb=512,
        )
        role, stack = function.own_role, self._stack
        use_key(role, self._lake.key, write=True)
        allow(role, "s3:GetObject", on=stack.objects("artifacts", "models/"), why=OBJECTS)
        allow(role, "s3:PutObject", on=stack.objects("artifacts", "runs/"), why=OBJECTS)
        _find_champion(role, stack)
        return function

    def _experiment_log(self, training: TrainingStack) -> Function:
        layer = lambda_.LayerVersion(
            self._stack,
            "MlflowLayer",
            layer_version_name=self._stack.names.named("mlflow"),
            description="MLflow's client and SageMaker's plugin, from requirements-experiments.txt",
            code=lambda_.Code.from_asset(str(packages.archive(packages.EXPERIMENTS))),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[lambda_.Architecture.ARM_64],
        )
        function = self._function(
            "ExperimentLog",
            "experiment-log",
            "Logs a training job's parameters, figures and evidence in MLflow",
            environment={
                "MLFLOW_TRACKING_URI": training.experiments.attr_arn,
                "MLFLOW_DISABLE_TELEMETRY": "true",  # it would call out
            },
            timeout_seconds=180,
            memory_mb=1024,
            layers=[layer],
        )
        role, stack = function.own_role, self._stack
        use_key(role, self._lake.key, write=True)
        allow(role, "sagemaker:CallMlflowAppApi", on=[training.experiments.attr_arn])
        allow(role, "s3:GetObject", on=stack.objects("artifacts", "models/"), why=OBJECTS)
        allow(role, *UPLOAD, on=stack.objects("artifacts", MLFLOW_ARTIFACTS), why=OBJECTS)
        return function


def _find_champion(role: iam.Role, stack: SolventStack) -> None:
    """See which model is behind a portfolio's endpoint, and which version it is."""
    endpoints = [stack.arn("sagemaker", f"endpoint/{stack.names.endpoint(p)}") for p in naming.PORTFOLIOS]
    allow(role, "sagemaker:DescribeEndpoint", on=endpoints)
    for action, kind in (("DescribeEndpointConfig", "endpoint-config"), ("DescribeModel", "model")):
        allow(
            role,
            f"sagemaker:{action}",
            on=[stack.arn("sagemaker", f"{kind}/{stack.names.prefix}-*")],
            why="the champion: the model behind the endpoint, and its configuration, have a run id in their names",
        )


def _list(role: iam.Role, stack: SolventStack, *zones: str) -> None:
    allow(role, "s3:ListBucket", on=[f"arn:aws:s3:::{stack.bucket_name(zone)}" for zone in zones])
