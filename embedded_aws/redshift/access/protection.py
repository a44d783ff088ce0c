"""What policies mean to one user: expressions in place of masked columns, conditions on rows."""

from functools import lru_cache

from sqlglot import exp

from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.access.state import Name, Policy
from embedded_aws.redshift.dialect import parse
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.translate import translate


def mask(access: Access, schema: str, name: str) -> dict[str, exp.Expr]:
    """Column -> what the user sees in its place, over the columns of `name`."""
    found: dict[str, exp.Expr] = {}
    for column, attachment in access.rights.masks(schema, name).items():
        policy = access.state.policies["masking", attachment.policy]
        inputs = dict(zip(policy.columns, attachment.inputs, strict=True))
        expression = expressions(access, policy)[attachment.outputs.index(column)]
        for used in list(expression.find_all(exp.Column)):
            replacement = exp.column(inputs[used.name], table=name)
            expression = replacement if used is expression else expression
            used.replace(replacement)
        found[column] = cast(access, expression, (schema, name), column)
    return found


def predicates(access: Access, schema: str, name: str, table: str) -> list[tuple[str, exp.Expr]]:
    """(policy, condition over the columns of `table`) for each row-level security policy that is the user's."""
    found: list[tuple[str, exp.Expr]] = []
    for policy_name in access.rights.filters(schema, name):
        policy = access.state.policies["rls", policy_name]
        (condition,) = expressions(access, policy)
        for used in condition.find_all(exp.Column):
            own = not used.table and used.name in policy.columns and used.parent_select is None
            if own or (policy.alias and used.table == policy.alias):
                used.set("table", exp.to_identifier(table))
        found.append((policy_name, exp.paren(condition, copy=False)))
    return found


@lru_cache(maxsize=256)
def parsed(expression: str) -> exp.Select:
    """`SELECT <expressions of a policy>`; not to be changed. Raises SqlError for anything more."""
    tree = parse(f"SELECT {expression}")  # noqa: S608 (the expression of a policy, as its owner wrote it)
    if not isinstance(tree, exp.Select) or any(value for name, value in tree.args.items() if name != "expressions"):
        raise SqlError('syntax error at or near "FROM"')
    return tree


def expressions(access: Access, policy: Policy) -> list[exp.Expr]:
    """The expressions of a policy as DuckDB computes them for the session's user."""
    tree = translate(parsed(policy.expression).copy(), parameters={}, user=access.user)
    return [item.unalias().pop() for item in list(tree.expressions)]


def cast(access: Access, expression: exp.Expr, relation: Name, column: str) -> exp.Expr:
    """A masking expression with the type of the column that it stands for."""
    return exp.cast(expression, exp.DataType.build(access.catalogue.relations[relation][column], "duckdb"))
