"""What a function finds on disk and in its environment: its code, boto3, its role's credentials. Nothing of the
laptop's.
"""

import importlib.util
import io
import os
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

from embedded_aws import adapter, service
from embedded_aws.sagemaker import mlflow
from embedded_aws.sagemaker.artifacts import NATIVE

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html: the runtime brings the SDK and nothing else.
_RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
_SANDBOX = Path(__file__).parents[1] / "sandbox"


def runtime_packages() -> Path:
    """A folder with AWS's SDK alone, linked from the environment that the embedded AWS runs in."""
    folder = service.home() / "tmp" / "lambda-runtime"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _RUNTIME_PACKAGES:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            continue
        origin = Path(found.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        link = folder / source.name
        if not link.is_symlink():
            link.symlink_to(source)
    return folder


def search_path(code: Path, layers: list[Path]) -> list[str]:
    """sys.path of the function: code, layers, SDK, sandbox."""
    return [*(str(p) for p in (code, *layers, runtime_packages(), _SANDBOX))]


def unpack_layers(config: dict[str, Any], folder: Path) -> list[Path]:
    """The `python/` folders of the function's layers.

    One with native code is for Lambda's platform: the laptop's own packages of the same names stand in for it.
    """
    found = []
    for index, layer in enumerate(config.get("Layers") or []):
        body = adapter.RESOLVE_LAYER.get()(layer)
        if not body:
            continue
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = archive.namelist()
            target = folder / f"layer-{index}"
            if any(name.endswith(NATIVE) for name in names):
                _stand_in({name.split("/")[1] for name in names if name.startswith("python/")}, target / "python")
            else:
                archive.extractall(target)
        found.append(target / "python")
    return found


def _stand_in(names: set[str], folder: Path) -> None:
    """Link the laptop's packages and distributions of these names, whatever their version."""
    folder.mkdir(parents=True)
    wanted = {_distribution(name) for name in names}
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if _distribution(entry.name) in wanted:
            (folder / entry.name).symlink_to(entry)


def _distribution(name: str) -> str:
    """`numpy`, `numpy-2.1.0.dist-info` and `numpy.cpython-312.so` by one name each, whatever version and platform."""
    if name.endswith(".dist-info"):
        return f"{name.split('-')[0]}.dist-info"
    return name.split(".")[0]


def variables(config: dict[str, Any], code: Path, stream: str) -> dict[str, str]:
    """The environment of a function; its own variables cannot replace the reserved ones.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    _, _, _, region, *_ = config["FunctionArn"].split(":")
    name = config["FunctionName"]
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "SYSTEMROOT")}
    own = {k: str(v) for k, v in (config.get("Environment") or {}).get("Variables", {}).items()}
    for value in list(own.values()):
        own |= mlflow.tracking(value) or {}
    return {
        **kept,
        **own,
        **adapter.EXECUTION_CREDENTIALS.get()(config),
        "AWS_ENDPOINT_URL": service.url(),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_LOG_GROUP_NAME": (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": str(code),
        "PYTHONUNBUFFERED": "1",
        "SOLVENT_NETWORK": "loopback",
    }
