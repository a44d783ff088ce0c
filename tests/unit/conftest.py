"""Unit tests open no socket and know no AWS account: what they need of AWS is moto's, or a fake of tests/fakes.py."""

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket

# A busy machine is slow at times; that is no finding.
settings.register_profile("solvent", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("solvent")


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest) -> None:
    if "embedded" not in request.path.parts:  # those test servers, on the loopback
        disable_socket(allow_unix_socket=True)


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, profile or endpoint of the person who runs the tests."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
