"""What a user may do, by what has been granted to it, its groups, its roles and PUBLIC.

Sources: docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html, r_Privileges.html, r_superusers.html.
"""

from collections.abc import Collection

from embedded_aws.redshift.access.state import PUBLIC, SYSTEM_ROLES, Attachment, Catalogue, Principal, State
from embedded_aws.redshift.errors import SqlError


class Rights:
    """One user's rights, by itself and through groups, roles (of which `roles` are the session's own) and PUBLIC."""

    def __init__(self, state: State, catalogue: Catalogue, user: str, roles: Collection[str] = ()) -> None:
        self.state, self.catalogue, self.user = state, catalogue, user.lower()
        self.superuser = self.user in state.superusers
        waiting = [
            ("user", self.user),
            *(("role", r.lower()) for r in roles if ("role", r.lower()) in state.principals),
        ]
        self.identities = {PUBLIC}
        while waiting:
            principal = waiting.pop()
            if principal not in self.identities:
                self.identities.add(principal)
                waiting += state.groups.get(principal, ())

    def with_identity(self, principal: Principal) -> "Rights":
        """These rights, and those of one more principal."""
        self.identities.add(principal)
        return self

    def owns(self, kind: str, schema: str, name: str) -> bool:
        return self.superuser or self.state.owners.get((kind, schema, name)) == self.user

    def may(self, privilege: str, kind: str, schema: str, name: str, *, system: str = "") -> bool:
        """Whether the user has a privilege on the whole of an object, or the `system` privilege that stands for it."""
        if self.owns(kind, schema, name):
            return True
        granted = self.state.grants.get((kind, schema, name), {}).get((privilege, None), {})
        return not self.identities.isdisjoint(granted) or bool(system and self.has(system))

    def has(self, system: str) -> bool:
        """Whether a system privilege (IGNORE RLS, CREATE USER, ...) is the user's."""
        if self.superuser:
            return True
        granted = self.state.grants.get(("system", "", ""), {}).get((system, None), {})
        roles = (SYSTEM_ROLES.get(name, frozenset()) for kind, name in self.identities if kind == "role")
        return not self.identities.isdisjoint(granted) or any(system in role for role in roles)

    def may_grant(self, privilege: str, kind: str, schema: str, name: str) -> bool:
        """Owners grant, and who got the privilege WITH GRANT OPTION."""
        granted = self.state.grants.get((kind, schema, name), {}).get((privilege, None), {})
        return self.owns(kind, schema, name) or any(granted.get(i) for i in self.identities)

    def columns(self, privilege: str, schema: str, name: str) -> set[str]:
        """The columns on which the user has a privilege: all of them when it is the table's."""
        if self.may(privilege, "relation", schema, name):
            return set(self.catalogue.relations.get((schema, name), ()))
        granted = self.state.grants.get(("relation", schema, name), {})
        return {c for (p, c), to in granted.items() if p == privilege and c and not self.identities.isdisjoint(to)}

    def require_usage(self, schema: str) -> None:
        """Raise SqlError unless the user may look things up in a schema (or owns it)."""
        if not self.may("USAGE", "schema", "", schema):
            raise denied("schema", schema)

    def require_owner(self, kind: str, schema: str, name: str, *, privilege: str = "", system: str = "") -> None:
        """Raise SqlError unless the user owns an object, or has the privilege that stands for it."""
        if self.owns(kind, schema, name) or (privilege and self.may(privilege, kind, schema, name, system=system)):
            return
        raise SqlError(f"must be owner of {kind} {name}")

    def masks(self, schema: str, name: str) -> dict[str, Attachment]:
        """Column -> the policy of highest priority that is attached to it for the user; none for superusers."""
        found: dict[str, Attachment] = {}
        if not self.superuser:
            for attachment in self.state.masks.get((schema, name), ()):
                for column in attachment.outputs if attachment.grantee in self.identities else ():
                    if column not in found or attachment.priority > found[column].priority:
                        found[column] = attachment
        return found

    def filtered(self, schema: str, name: str) -> bool:
        """Whether row-level security holds for the user."""
        return (schema, name) in self.state.row_security and not self.has("IGNORE RLS")

    def filters(self, schema: str, name: str) -> list[str]:
        """The row-level security policies that are the user's on a relation."""
        attached = self.state.filters.get((schema, name), ())
        return sorted({a.policy for a in attached if a.grantee in self.identities})

    def protected(self, schema: str, name: str) -> bool:
        """Whether the user does not see the relation's rows and values as they are."""
        return self.filtered(schema, name) or bool(self.masks(schema, name))


def denied(kind: str, name: str) -> SqlError:
    """`permission denied for relation customers`, as Redshift says it: without the schema."""
    return SqlError(f"permission denied for {kind} {name}")
