"""How ministack is started: on the loopback only, enforcing IAM, keeping its state under one folder."""

import os
import sys
from pathlib import Path

REGION = "eu-west-1"  # of work that no request started; a request's own signature names its region


def environment(home: Path, port: int) -> dict[str, str]:
    """The variables that ministack reads at import.

    AWS_* of the person at the laptop are dropped, so that nothing here can reach a real account.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MINISTACK", "LOCALSTACK"))}
    return {
        **inherited,
        "SOLVENT_EMBEDDED_HOME": str(home),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AUTH": "true",  # IAM is enforced
        "MINISTACK_AUTOCREATE_AWS_MANAGED": "1",  # AWS managed policies resolve to their real documents
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": str(home / "state"),
        "S3_DATA_DIR": str(home / "s3"),
        "TMPDIR": str(home / "tmp"),  # unpacked functions, layers; goes with the folder
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": "unix:///nonexistent",  # no container, even where a daemon runs
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_WARM_TTL_SECONDS": "900",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]).rstrip(
            os.pathsep
        ),
        "PYTHONUNBUFFERED": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
