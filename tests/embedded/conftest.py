"""One embedded AWS per test session, on a free port, with a home of its own that goes when the session ends."""

import io
import json
import os
import tarfile
import textwrap
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from persons import Persons, ended, hurry, wait

from embedded_aws import decisions, lifecycle
from solvent import deployment
from solvent.client import Platform
from solvent.target import Target

REGION = "eu-west-1"
ACCOUNT = "000000000000"
LOGS = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}  # of functions and jobs whose log is looked at
_CONFIG = Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=120)


@dataclass(frozen=True)
class EmbeddedAws:
    """A running embedded AWS and what tests do with it."""

    url: str
    home: Path
    region: str = REGION
    account: str = ACCOUNT

    def session(self, credentials: dict[str, str] | None = None) -> boto3.Session:
        """The operator's session, or one with the credentials of an STS or IAM answer."""
        if credentials:
            return boto3.Session(
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials.get("SessionToken"),
                region_name=self.region,
            )
        return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=self.region)

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        """A boto3 client of a service."""
        return self.session(credentials).client(service, endpoint_url=self.url, config=_CONFIG)

    def name(self, prefix: str = "t") -> str:
        """A name that no other test uses."""
        return f"{prefix}-{uuid.uuid4().hex[:10]}"

    def role(self, *statements: dict[str, Any], service: str = "states.amazonaws.com") -> str:
        """The ARN of a new role whose policy has these statements and nothing else."""
        iam, name = self.client("iam"), self.name("role")
        trust = {"Effect": "Allow", "Principal": {"Service": service, "AWS": "*"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
        return str(arn)

    def function(self, source: str, *, role: str | None = None, timeout: int = 10, **variables: str) -> str:
        """The ARN of a new Lambda function with this module as its code (`handler(event, context)`)."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr("index.py", textwrap.dedent(source))
        made = self.client("lambda").create_function(
            FunctionName=self.name("fn"),
            Runtime="python3.13",
            Handler="index.handler",
            Role=role or self.role(LOGS, service="lambda.amazonaws.com"),
            Code={"ZipFile": archive.getvalue()},
            Timeout=timeout,
            Environment={"Variables": variables},
        )
        return str(made["FunctionArn"])

    def invoke(self, function: str, event: Any = None) -> tuple[Any, str | None]:
        """(answer, FunctionError) of a function."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event or {}))
        return json.loads(answer["Payload"].read() or b"null"), answer.get("FunctionError")

    def switch(self, *options: str) -> list[str]:
        """Deploy dev's warehouse with these options; returns the names of those that were made or taken back.

        What CloudFormation does when the configuration changes: the environment of the function `migrate`, its call.
        """
        functions, name = self.client("lambda"), "solvent-dev-migrate"
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**variables, "OPTIONS": ",".join(options)}}
        )
        answer, error = self.invoke(name, {"action": "apply"})
        assert error is None, answer
        return list(answer["options"])

    def endpoint(self, source: str = "def transform_fn(model, body, content, accept):\n    return body, accept") -> str:
        """The name of a new SageMaker endpoint in service, one variant `all`, that runs this `inference.py`."""
        s3, sagemaker, name = self.client("s3"), self.client("sagemaker"), self.name("endpoint")
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as packed:
            entry = tarfile.TarInfo("code/inference.py")
            code = f"def model_fn(folder):\n    return folder\n\n\n{source}\n".encode()
            entry.size = len(code)
            packed.addfile(entry, io.BytesIO(code))
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": self.region})
        s3.put_object(Bucket=name, Key="model.tar.gz", Body=archive.getvalue())
        allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        container = {
            "Image": "image",
            "ModelDataUrl": f"s3://{name}/model.tar.gz",
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        }
        role = self.role(allowed, service="sagemaker.amazonaws.com")
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
        variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        waiter = {"Delay": 0.2, "MaxAttempts": 150}
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=waiter)
        return name

    def execute(self, states: dict[str, Any], *, role: str, given: Any = None, timeout: float = 20) -> dict[str, Any]:
        """DescribeExecution of a finished execution of a new machine; `states` starts with its first entry."""
        sfn = self.client("stepfunctions")
        definition = json.dumps({"StartAt": next(iter(states)), "States": states})
        machine = sfn.create_state_machine(name=self.name("sm"), roleArn=role, definition=definition)["stateMachineArn"]
        arn = sfn.start_execution(stateMachineArn=machine, input=json.dumps(given or {}))["executionArn"]
        return wait(lambda: _finished(sfn.describe_execution(executionArn=arn)), timeout)


def _finished(execution: dict[str, Any]) -> dict[str, Any] | None:
    return execution if execution["status"] != "RUNNING" else None


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """A running embedded AWS, shared by the tests of the session: use names of your own."""
    home = tmp_path_factory.mktemp("embedded-aws")
    os.environ[decisions.FILE] = str(home.with_suffix(".decisions"))  # who asked for what: test_permissions.py
    running = lifecycle.up(home, port=4800)
    try:
        yield EmbeddedAws(running.url, home)
    finally:
        lifecycle.down(home)


@pytest.fixture(scope="session")
def platform(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """`dev`, deployed by the CDK CLI from the assembly that `make synth` wrote."""
    return _deployed(aws, "dev", tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="session")
def prod(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """`prod`, beside `dev`, in the same way."""
    return _deployed(aws, "prod", tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="session")
def persons(aws: EmbeddedAws, prod: Platform) -> Persons:
    """Who decides on prod's model packages: a role that may do that and nothing else."""
    packages = f"arn:aws:sagemaker:{aws.region}:{aws.account}:model-package/{prod.names.prefix}-*"
    role = aws.role({"Effect": "Allow", "Action": "sagemaker:UpdateModelPackage", "Resource": packages})
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="a-person")["Credentials"]
    return Persons(prod, aws.client("sagemaker", session))


@pytest.fixture(scope="session")
def live_prod(prod: Platform, persons: Persons, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """prod with a champion that a person approved, and machines that look every second at what they wait for."""
    hurry(prod)
    execution, _, package = persons.asked(tmp_path_factory.mktemp("delivery"))
    assert prod.target.client("sagemaker").list_endpoints(NameContains=prod.names.prefix)["Endpoints"] == []
    persons.decide(package, "Approved")
    done = wait(lambda: ended(prod, execution), 120)
    assert done["status"] == "SUCCEEDED", done.get("cause")
    return prod


def _deployed(aws: EmbeddedAws, environment: str, logs: Path) -> Platform:
    assembly = Path(__file__).parents[2] / "cdk.out" / environment
    assert assembly.exists(), f"There is no cdk.out/{environment}: run `make synth`, or `make test`, which does."
    target = Target.at(aws.url, environment)
    deployment.bootstrap(target, assembly, logs / "bootstrap.log")
    deployment.deploy(target, assembly, logs / "deploy.log")
    return Platform(target)
