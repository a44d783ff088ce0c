"""The roles that people take: the tag that names a role of the warehouse must fit the role's name, and the SQL.

An administrator's asks for a second factor.
"""

import re
from collections.abc import Iterator, Mapping

from gates.assembly import ROOT
from gates.iam.roles import Role
from gates.outcome import Finding

TAG = "RedshiftDbRoles"  # https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-federated-db-roles.html
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
SECOND_FACTOR = {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}
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
            if given == "admin" and any(s.get("Condition") != SECOND_FACTOR for s in role.trusted):
                yield Finding("people-mfa", role.name, "administrators need no second factor of the last hour")


def _made_by_migrations() -> set[str]:
    return {
        name
        for path in sorted(MIGRATIONS.glob("*.sql"))
        for name in re.findall(r"^CREATE ROLE (\w+);", path.read_text(), re.MULTILINE)
    }
