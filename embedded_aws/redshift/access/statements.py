"""The statements about access, by their leading words."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from embedded_aws.redshift.access import grants, objects, policies, principals
from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.outcome import Outcome

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

Words = tuple[str, ...]
Handler = Callable[["Session", str], Outcome]

_ALTER_TABLE: dict[Words, Words] = {("OWNER", "TO"): ("OWNER",), ("ROW", "LEVEL", "SECURITY"): ("ROW LEVEL SECURITY",)}


def _about_access(run: Callable[[Access, str], None]) -> Handler:
    def handle(session: "Session", sql: str) -> Outcome:
        run(session.access, sql)
        return Outcome()

    return handle


HANDLERS: dict[Words, Handler] = {
    ("GRANT",): _about_access(grants.execute),
    ("REVOKE",): _about_access(grants.execute),
    ("ALTER", "DEFAULT", "PRIVILEGES"): _about_access(grants.alter_defaults),
    ("ALTER", "TABLE", "OWNER"): _about_access(objects.change_owner),
    ("ALTER", "TABLE", "ROW LEVEL SECURITY"): _about_access(policies.switch),
    **{(verb, kind): _about_access(principals.execute) for verb in principals.VERBS for kind in principals.KINDS},
    **{(verb, kind, "POLICY"): _about_access(policies.execute) for verb in policies.VERBS for kind in policies.KINDS},
}


def of_table(words: list[str]) -> Words | None:
    """The kind of an ALTER TABLE that is about access, by the words behind its table's name."""
    for start in range(3, len(words)):
        for clause, kind in _ALTER_TABLE.items():
            if tuple(words[start : start + len(clause)]) == clause:
                return ("ALTER", "TABLE", *kind)
    return None
