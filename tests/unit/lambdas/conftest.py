"""One account per test, and the functions' environment variables as the stacks set them."""

from collections.abc import Iterator

import boto3
import pytest
from fakes import ACCOUNT, NAMES, REGION, bucket
from moto import mock_aws

from solvent.naming import ZONES


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "ENVIRONMENT": "dev",
        "ACCOUNT_ID": ACCOUNT,
        "AWS_REGION": REGION,
        "CODE_VERSION": "1",
        "VERSION": "0.1.0",
        "OPTIONS": "sql_model",
        "REGIONS": "{}",
        "ADMIN_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:admin",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        for zone in ZONES:
            s3.create_bucket(Bucket=bucket(zone), CreateBucketConfiguration={"LocationConstraint": REGION})
        boto3.client("dynamodb", region_name=REGION).create_table(
            TableName=NAMES.runs_table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield
