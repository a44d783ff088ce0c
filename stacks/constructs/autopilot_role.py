"""The execution role of SageMaker Autopilot: what AWS's page asks, limited to what bears the job's name.

kms:Encrypt, which the page has too, is for keys that encrypt by themselves: S3 asks for data keys.

https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-autopilot-perms
"""

from aws_cdk import aws_iam as iam

from solvent import naming
from stacks.constructs.base import SolventStack
from stacks.constructs.images import FEATURE_PROCESSING, repository_arn
from stacks.constructs.permissions import OBJECTS, UPLOAD, allow
from stacks.constructs.sagemaker_role import sagemaker_role
from stacks.lake import LakeStack
from stacks.network import NetworkStack

NAME = "autopilot"
MODELS = ("CreateModel", "DeleteModel", "DescribeModel")
ENDPOINTS = ("CreateEndpoint", "DeleteEndpoint", "DescribeEndpoint", "InvokeEndpoint")
CONFIGURATIONS = ("CreateEndpointConfig", "DeleteEndpointConfig", "DescribeEndpointConfig")
JOB_LOGS = ["ProcessingJobs", "TrainingJobs", "TransformJobs"]


def autopilot_role(scope: SolventStack, *, lake: LakeStack, network: NetworkStack) -> iam.Role:
    """Reads the training zone, writes below models/, and can touch no model or endpoint of the platform's own."""
    role = sagemaker_role(
        scope,
        "AutopilotRole",
        name=NAME,
        description="SageMaker Autopilot and its jobs",
        key=lake.key,
        network=network,
        log_groups=JOB_LOGS,
    )
    allow(
        role,
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        on=[repository_arn(scope.config.region, FEATURE_PROCESSING)],
    )
    allow(role, "s3:ListBucket", on=[f"arn:aws:s3:::{scope.bucket_name(zone)}" for zone in ("training", "artifacts")])
    allow(role, "s3:GetObject", on=scope.objects("training"), why=OBJECTS)
    allow(role, "s3:GetObject", *UPLOAD, on=scope.objects("artifacts", "models/"), why=OBJECTS)
    features = f"arn:aws:s3:::{scope.bucket_name('artifacts')}/{naming.report_key('*', '*', NAME)}"
    allow(role, "s3:GetObject", on=[features], why=OBJECTS)
    prefix = naming.automl_prefix(scope.names.prefix)
    named = "what Autopilot makes is named after its job, whose name holds a hash of the run"
    for kind, actions in (("model", MODELS), ("endpoint", ENDPOINTS), ("endpoint-config", CONFIGURATIONS)):
        on = [scope.arn("sagemaker", f"{kind}/{prefix}*")]
        allow(role, *(f"sagemaker:{action}" for action in actions), "sagemaker:ListTags", on=on, why=named)
    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    allow(role, "iam:PassRole", on=[role.role_arn], conditions=to_sagemaker)  # to the jobs that it starts
    return role
