"""The permissions of the roles in an assembly's templates, and a deployed role without one of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gates.assembly import Assembly, as_list
from gates.iam.roles import roles
from solvent.client import Platform


@dataclass(frozen=True, order=True)
class Permission:
    """One action that the policies of one role allow."""

    role: str
    action: str

    def __str__(self) -> str:
        return f"{self.role} {self.action}"


def permissions(assembly: Assembly) -> list[Permission]:
    """Every action of every role that an assembly names. Roles without a name are CDK's own helpers."""
    named = [role for role in roles(assembly).values() if "RoleName" in role.properties]
    return sorted({Permission(role.name, action) for role in named for action in role.granted})


@contextmanager
def without(platform: Platform, permission: Permission) -> Iterator[None]:
    """The deployed role without the action in any of its statements; the policies come back afterwards."""
    iam, role = platform.target.client("iam"), permission.role
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    before = {n: iam.get_role_policy(RoleName=role, PolicyName=n)["PolicyDocument"] for n in names}
    after = {name: _less(policy, permission.action) for name, policy in before.items()}
    if after == before:
        raise LookupError(f"the deployed role {role} does not have {permission.action}: deploy the same assembly")
    try:
        for name, policy in after.items():
            if policy["Statement"]:
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
            else:
                iam.delete_role_policy(RoleName=role, PolicyName=name)
        yield
    finally:
        for name, policy in before.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


def _less(policy: dict[str, Any], action: str) -> dict[str, Any]:
    kept = ({**s, "Action": [a for a in as_list(s["Action"]) if a != action]} for s in as_list(policy["Statement"]))
    return {**policy, "Statement": [s for s in kept if s["Action"]]}
