"""`python -m scripts.iam.document`: write docs/check-iam.md; `--check`: say whether it is fresh.

It counts in the templates what `not_exercised.yaml` covers. That the rest fails when removed, `make check-iam` says.
"""

import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from gates.assembly import ROOT, Assembly
from scripts.iam import exercised, roles
from scripts.iam.exercised import Untried
from scripts.iam.roles import Permission

DOCUMENT = ROOT / "docs" / "check-iam.md"
PAGE = """\
# What `make check-iam` tries out, and what it cannot

Written by `make docs` from the templates and [scripts/iam/not_exercised.yaml](../scripts/iam/not_exercised.yaml).

`make check-iam` deploys `dev` into an embedded AWS, takes one action from one role, and runs what uses it.
That must fail, and the embedded AWS must have refused this very action to this very role. Then the next one is taken.
An action is taken from all statements of a role at once. Which resources a statement needs, the gate `least-privilege`
compares with the templates where they say so.

| permissions of `dev` (a role and an action) | number |
|---|---|
| must fail when removed | {tried} |
| not tried out: nothing in the embedded AWS asks for them | {untried} |
| all | {all} |

A permission in neither row fails the command, and so does an entry below that covers nothing or something that failed.
It holds in the embedded AWS; nothing of it has run on AWS.

## Not tried out

That these are needed is what AWS's pages say (`tests/stacks/implicit_actions.yaml`); nobody has seen anything fail
without them.

| roles | actions | permissions | why |
|---|---|---|---|
{entries}

## Only in `prod`

`make check-iam` knows `dev`. `prod` has {prod_only} permissions that `dev` does not have, most of them for the network;
the gates compare them with AWS's pages and with the code, and nothing tries them out.

| roles | actions | permissions |
|---|---|---|
{only_prod}
"""


def rendered(dev: Collection[Permission], prod: Collection[Permission], entries: Sequence[Untried]) -> str:
    """The page for the permissions of both environments; roles carry no prefix."""
    covered: Counter[int] = Counter()
    for permission in dev:
        covered.update([number for number, entry in enumerate(entries) if entry.covers(permission)][:1])
    rows = [
        f"| {_names(entry.roles)} | {_names(entry.actions)} | {covered[number]} | {entry.reason} |"
        for number, entry in enumerate(entries)
    ]
    known = {(_short(p.role), p.action) for p in dev}
    more = sorted((_short(p.role), p.action) for p in prod if (_short(p.role), p.action) not in known)
    return PAGE.format(
        tried=len(dev) - covered.total(),
        untried=covered.total(),
        all=len(dev),
        entries="\n".join(rows),
        prod_only=len(more),
        only_prod="\n".join(_by_actions(more)),
    )


def _by_actions(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """A row for the roles that have the same actions more."""
    actions = {role: tuple(a for r, a in pairs if r == role) for role, _ in pairs}
    together: dict[tuple[str, ...], list[str]] = {}
    for role, more in actions.items():
        together.setdefault(more, []).append(role)
    return [f"| {_names(r)} | {_names(a)} | {len(r) * len(a)} |" for a, r in together.items()]


def _short(role: str) -> str:
    """`etl` of `solvent-dev-etl`."""
    return role.split("-", 2)[2]


def _names(names: Collection[str]) -> str:
    return ", ".join("all" if name == "*" else f"`{name}`" for name in names)


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` only say whether it is fresh."""
    known: Mapping[str, list[Permission]] = {
        name: roles.permissions(Assembly.synthesized(name)) for name in ("dev", "prod")
    }
    page = rendered(known["dev"], known["prod"], exercised.load())
    if "--check" not in arguments:
        DOCUMENT.write_text(page)
    elif not DOCUMENT.exists() or DOCUMENT.read_text() != page:
        print(f"{DOCUMENT.name} is not what the templates and not_exercised.yaml say. Run `make docs`.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
