"""`solvent lineage`: where a column comes from, and what depends on a delivered one."""

from typing import Any

from rich.console import Console
from rich.tree import Tree

from solvent import lineage, specification
from solvent.cli import output
from solvent.lineage import Lineage, LineageError, Ref


def show(console: Console, name: str, *, down: bool, as_json: bool) -> None:
    """Print the lineage of `table` or `table.column`. Raises LineageError for what there is not."""
    known, table, column = lineage.find(name)
    wanted = (_downwards if down else _upwards)(known, table, column)
    if as_json:
        console.print_json(data=wanted)
    elif down:
        reached = [(r["source"], r["column"], r["how"], r["feature"] or "") for r in wanted]
        output.rows(console, ["source", "reaches", "how", "feature of the model"], reached)
    elif column:
        console.print(_tree(known, Ref(table, column)))
    else:
        rows = [(r["column"], "\n".join(r["value"]), "\n".join(r["filter"])) for r in wanted]
        output.rows(console, ["column", "computed from", "rows decided by"], rows)


def _upwards(known: Lineage, table: str, column: str | None) -> list[dict[str, Any]]:
    if table in known.sources:
        raise LineageError(f"{table} is a source: it comes from a delivered file. With --down: what depends on it.")
    names = [column] if column else known.columns(table)
    origins = {name: known.origin(Ref(table, name)) for name in names}
    return [
        {"column": f"{table}.{n}", "value": sorted(map(str, o.value)), "filter": sorted(map(str, o.filter))}
        for n, o in origins.items()
    ]


def _downwards(known: Lineage, table: str, column: str | None) -> list[dict[str, Any]]:
    if table not in known.sources:
        raise LineageError(f"{table} is no source: --down takes a column of {', '.join(known.sources)}.")
    spec = specification.load(known.portfolio)
    features = {f"{spec.features_table}.{f.name}" for f in spec.features}
    return [
        {
            "source": str(source),
            "column": str(reached),
            "how": how,
            "feature": reached.column if str(reached) in features else None,
        }
        for source in ([Ref(table, column)] if column else known.source_columns(table))
        for reached, how in known.dependents(source)
    ]


def _tree(known: Lineage, column: Ref) -> Tree:
    """One level per table between the column and the files."""

    def grow(tree: Tree, ref: Ref) -> None:
        step = known.steps.get(ref.table, {}).get(ref.column)
        for how in ("value", "filter") if step else ():
            for origin in sorted(ref for ref in getattr(step, how) if ref.column != lineage.ROWS):
                branch = tree.add(f"{origin}" if how == "value" else f"[dim]{origin} (decides rows)[/]")
                if how == "value":
                    grow(branch, origin)

    known.origin(column)  # refuses what there is not
    tree = Tree(str(column))
    grow(tree, column)
    return tree
