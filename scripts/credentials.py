"""Is there anybody to call AWS as? `python -m scripts.credentials`, before anything that needs an account."""

import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError


def main() -> int:
    """0 and nothing, or 1 and what to do."""
    try:
        boto3.client("sts", region_name=boto3.Session().region_name or "us-east-1").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        print(
            f"No AWS credentials that work ({error}). Log in or set AWS_PROFILE, then try again; nothing was changed. "
            "To try Solvent without an account: make demo. Pipelines: docs/delivery.md.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
