"""The roles that people take: the tag that names a role of the warehouse must fit the role's name, and the SQL."""

import re
from collections.abc import Iterator, Mapping

from gates.assembly import ROOT
from gates.iam.roles import Role
from gates.outcome import Finding

TAG = "RedshiftDbRoles"  # https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-federated-db-roles.html
MIGRATIONS = ROOT / "sql" / "warehouse"


def check(roles: Mapping[str, Role], environment: str) -> Iterator[Finding]:
    """`solvent-<environment>-risk-officer` is `risk_officer` in the warehouse, and nothing else; so is a group of them,
    `solvent-<environment>-regional-analyst-north`.
    """
    made = _made_by_migrations()
    for role in roles.values():
        for tag in role.properties.get("Tags", []):
            if tag["Key"] != TAG:
                continue
            given = str(tag["Value"])
            if given not in made:
                yield Finding("people-role", role.name, f"no migration makes the role {given} of the warehouse")
            name = f"solvent-{environment}-{given.replace('_', '-')}"
            if role.name != name and not role.name.startswith(f"{name}-"):
                yield Finding("people-role", role.name, f"its tag makes it {given} in the warehouse")


def _made_by_migrations() -> set[str]:
    return {
        name
        for path in sorted(MIGRATIONS.glob("*.sql"))
        for name in re.findall(r"^CREATE ROLE (\w+);", path.read_text(), re.MULTILINE)
    }
