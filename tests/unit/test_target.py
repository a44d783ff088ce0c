"""Asking as another role of the platform."""

from typing import Any

import pytest
from fakes import ACCOUNT, NAMES, REGION, client_error

from solvent.target import NoTarget, Target


class Sts:
    def __init__(self, error: str = "") -> None:
        self.error, self.asked = error, ""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": ACCOUNT}

    def assume_role(self, *, RoleArn: str, RoleSessionName: str) -> dict[str, Any]:  # noqa: N803
        self.asked = RoleArn
        if self.error:
            raise client_error("AccessDenied", self.error)
        return {"Credentials": {"AccessKeyId": "id", "SecretAccessKey": "secret", "SessionToken": "token"}}


def as_risk_officer(monkeypatch: pytest.MonkeyPatch, sts: Sts, url: str | None) -> Target:
    monkeypatch.setattr(Target, "client", lambda self, service: sts)
    return Target(NAMES, REGION, None, url).as_person("risk_officer")  # type: ignore[arg-type]


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:1"], ids=["account", "laptop"])
def test_a_person_asks_with_the_credentials_of_the_role(monkeypatch: pytest.MonkeyPatch, url: str | None) -> None:
    sts = Sts()
    target = as_risk_officer(monkeypatch, sts, url)
    assert sts.asked == f"arn:aws:iam::{ACCOUNT}:role/solvent-dev-risk-officer"
    assert tuple(target.session.get_credentials().get_frozen_credentials())[:3] == ("id", "secret", "token")
    assert (target.endpoint_url, target.region) == (url, REGION)


def test_a_role_that_may_not_be_taken_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoTarget, match=r"role/solvent-dev-risk-officer could not be assumed: no. .*sts:AssumeRole"):
        as_risk_officer(monkeypatch, Sts("no"), None)
