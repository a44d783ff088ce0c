"""Which AWS actions each role's code and state machines call themselves; what AWS does besides is in `implicit`."""

from functools import cache
from pathlib import Path

from gates.assembly import ROOT, Assembly
from gates.iam.roles import Role, User, roles
from gates.iam.sources import Program, model
from gates.machines import integrations

# Operations that IAM knows under another name:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
NAMED_OTHERWISE = {
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
}
# Calls that the code makes only if a property of its custom resource says so: (type, property, value that forbids).
ONLY_IF = {
    ("Custom::EndpointCleanup", "DeleteModelPackages", "false"): {
        "sagemaker:DeleteModelPackage",
        "sagemaker:ListModelPackages",
    }
}
SCRIPTS = {
    "sagemaker:createTrainingJob": "sagemaker/training/train.py",
    "sagemaker:createHyperParameterTuningJob": "sagemaker/training/train.py",
    "sagemaker:createModel": "sagemaker/inference/inference.py",
}
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"  # a schedule's target that is an API: `<this>glue:startJobRun`
QUARANTINE = "src/solvent/quarantine.py"
DATA_API = "src/solvent/warehouse/data_api.py"


def calls(assembly: Assembly, root: Path = ROOT) -> dict[str, set[str]]:
    """Role name -> IAM actions. `root`: the checkout whose sources are read. Raises UnreadableCall."""
    return {name: called_by(role, root) for name, role in roles(assembly).items()}


def called_by(role: Role, root: Path = ROOT) -> set[str]:
    """The actions that code and states with this role call."""
    found = {called for user in role.users for called in _of(user, root)}
    for user in role.users:
        for (kind, name, value), actions in ONLY_IF.items():
            if user.kind == kind and user.properties.get(name) == value:
                found -= actions
    return found


def action(service: str, operation: str) -> str:
    """The IAM action of an operation, by boto3's name of the service."""
    described = model(service)
    name = f"{described.signing_name}:{operation}"
    return NAMED_OTHERWISE.get(name, name)


def texts(user: User, root: Path = ROOT) -> set[str]:
    """The constant texts in the code of a function or job; empty for everything else."""
    entry = _entry(user, root)
    return _read(entry, root)[1] if entry else set()


def _of(user: User, root: Path) -> set[str]:
    match user.kind:
        case "Task":
            return {_of_task(user.task)}
        case "AWS::Events::Rule":
            return {_of_target(str(target["Arn"])) for target in user.properties["Targets"]}
        case "AWS::Scheduler::Schedule":
            return {_of_target(str(user.properties["Target"]["Arn"]))}
        case "People":
            return _of_people(root)
        case "DataSteward":
            return _of_data_stewards(root)
    entry = _entry(user, root)
    return _read(entry, root)[0] if entry else set()


def _entry(user: User, root: Path) -> Path | None:
    """Where the code of a function, job or container begins, found by its name; None for what has no code of ours."""
    if user.kind == "AWS::Lambda::Function" and "FunctionName" in user.properties:
        name = str(user.properties["FunctionName"]).split("-", 2)[2]  # after `solvent-<environment>-`
        return root / "lambdas" / name.replace("-", "_") / "handler.py"
    if user.kind == "AWS::Glue::Job":
        return root / "glue_jobs" / f"{str(user.properties['Name']).split('-', 2)[2]}.py"
    if user.kind == "PassedRole" and (script := SCRIPTS.get(_plain(user.task))):
        return root / script
    return None


def _plain(task: str) -> str:
    """A task's `service:operation`, without the kind of integration and its pattern (`.sync`)."""
    service, _, operation = task.removeprefix("aws-sdk:").partition(":")
    return f"{service}:{operation.partition('.')[0]}"


@cache
def _read(entry: Path, root: Path) -> tuple[set[str], set[str]]:
    program = Program(entry, root / "src")
    return {action(*operation) for operation in program.operations()}, program.texts


@cache
def _of_people(root: Path) -> set[str]:
    """People ask the warehouse through the Data API, as our own client of it does."""
    found = Program(root / DATA_API, root / "src").operations_of("DataApi", "redshift-data")
    return {action(*operation) for operation in found}


@cache
def _of_data_stewards(root: Path) -> set[str]:
    """What people who look after quarantine do in the lake, by our own commands."""
    found = Program(root / QUARANTINE, root / "src").operations_of("Quarantine", "s3")
    return {action(*operation) for operation in found}


def _of_task(task: str) -> str:
    service, operation = _plain(task).split(":")
    if (service, operation) == ("lambda", "invoke"):
        return "lambda:InvokeFunction"
    return action(integrations.botocore_name(service), operation[0].upper() + operation[1:])


def _of_target(arn: str) -> str:
    """What a rule or a schedule does to its target: start a state machine, or call an API itself.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
    """
    if arn.startswith(UNIVERSAL):
        service, operation = arn.removeprefix(UNIVERSAL).split(":")
        return action(service, operation[0].upper() + operation[1:])
    if arn.startswith("<") or ":stateMachine:" in arn:
        return "states:StartExecution"
    raise ValueError(f"{arn}: it is not known which action this target needs; add it to gates/iam/calls.py")
