"""Contracts from Open Data Contract Standard YAML; only a checkout and the build need it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvent.contracts.model import (
    Column,
    Contract,
    ContractError,
    Contracts,
    Match,
    Parameter,
    Reference,
    Rule,
)

if TYPE_CHECKING:
    from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, SchemaProperty

_DELIMITERS = {",": ",", ";": ";", "tab": "\t"}
_LOGICAL = {"array": "json", "object": "json"}
# What a mart's column has in the warehouse unless its contract says otherwise: the type that its SQL yields.
_IN_SQL = {
    "string": "VARCHAR(256)", "integer": "BIGINT", "number": "DOUBLE PRECISION", "date": "DATE",
    "timestamp": "TIMESTAMP", "boolean": "BOOLEAN", "json": "SUPER",
}  # fmt: skip
_RANKS = ("source", "published", "mart", "query")
_BORROWED = (
    *("type", "physical", "description", "required", "minimum", "maximum"),
    *("pattern", "max_length", "values", "codes", "pii"),
)


def checkout_folder() -> Path:
    """`contracts/` of the checkout. Raises ContractError outside of one."""
    folder = Path(__file__).resolve().parents[3] / "contracts"
    if not folder.is_dir():
        raise ContractError(
            f"Neither solvent/_compiled/contracts.json nor {folder} exists: ship the package as `make synth` builds it."
        )
    return folder


def read(folder: Path) -> Contracts:
    """Every `*.odcs.yaml` below `folder`.

    Raises ContractError that names the file for a contract that the standard's model or our own rules refuse.
    """
    documents = {path: _parse(path) for path in sorted(folder.rglob("*.odcs.yaml"))}
    if not documents:
        raise ContractError(f"{folder} holds no *.odcs.yaml; the checkout is incomplete.")
    known: dict[str, Contract] = {}
    # What borrows columns (columnsOf, sameAs) comes after what it borrows from.
    for path, document in sorted(documents.items(), key=lambda item: _RANKS.index(_custom(item[1])["kind"])):
        try:
            contract = _contract(document, known)
        except (KeyError, TypeError, ValueError) as error:
            raise ContractError(f"{path.name}: {error}. Mend the contract; nothing can be derived from it.") from error
        known[contract.name] = contract
    known = _among_published(known)
    _check_references(known)
    return Contracts(known)


def _parse(path: Path) -> "OpenDataContractStandard":
    import pydantic
    import yaml
    from open_data_contract_standard.model import OpenDataContractStandard

    try:  # CSafeLoader is in every wheel of PyYAML and three times as fast: a checkout has ninety contracts
        return OpenDataContractStandard.model_validate(yaml.load(path.read_text(), Loader=yaml.CSafeLoader))
    except (pydantic.ValidationError, yaml.YAMLError) as error:
        raise ContractError(f"{path.name} is not valid by the Open Data Contract Standard: {error}") from error


def _contract(document: "OpenDataContractStandard", known: dict[str, Contract]) -> Contract:
    settings = _custom(document)
    [table] = document.schema_ or []
    options = _custom(table)
    source = options.get("columnsOf")
    columns: tuple[Column, ...]
    if source:
        columns, key = known[source].columns, known[source].key
        references = known[source].references
    else:
        properties = table.properties or []
        columns = tuple(_column(p, settings, known) for p in properties)
        keys = [p for p in properties if p.primaryKey]
        key = tuple(p.name or "" for p in sorted(keys, key=lambda p: p.primaryKeyPosition or 0))
        references = _references(table)
    row_counts = [q.mustBeGreaterThan for q in table.quality or [] if q.metric == "rowCount"]
    description = document.description
    kind = settings["kind"]
    return Contract(
        name=_text(document.name),
        portfolio=_text(document.domain),
        kind=kind,
        schema="marts" if kind == "mart" else _text(document.domain),
        zone=settings.get("zone", "warehouse") if kind in ("mart", "query") else settings["zone"],
        description=_text(table.description),
        columns=columns,
        key=key,
        references=references,
        purpose=_text(description.purpose if description else None),
        limitations=_text(description.limitations if description else None),
        source=source,
        minimum_rows=int(row_counts[0] or 0) + 1 if row_counts else 0,
        dist_key=options.get("distKey"),
        sort_key=tuple(options.get("sortKey", ())),
        delimiter=_DELIMITERS[options.get("delimiter", ",")],
        optional=options.get("delivery") == "optional",
        rules=tuple(Rule(**rule) for rule in options.get("rules", ())),
        materialized=bool(options.get("materialized", False)),
        option=options.get("option"),
        rows=tuple(tuple(row) for row in options.get("rows", ())),
        parameters=tuple(Parameter(**given) for given in options.get("parameters", ())),
    )


def _column(prop: "SchemaProperty", settings: dict[str, Any], known: dict[str, Contract]) -> Column:
    custom, options = _custom(prop), prop.logicalTypeOptions or {}
    base: dict[str, Any] = {"known_at": settings.get("knownAt"), "provenance": settings.get("provenance")}
    if "sameAs" in custom:
        contract, _, name = custom["sameAs"].partition(".")
        borrowed = known[contract].column(name)
        base |= {
            k: getattr(borrowed, k) for k in ("type", "physical", "description", "required", "pattern", "values", "pii")
        }
        base |= {k: getattr(borrowed, k) for k in ("minimum", "maximum", "max_length", "codes")}
        base["sources"] = (custom["sameAs"],)
    stated = {
        "type": _logical(prop) or None,
        "physical": prop.physicalType,
        "description": prop.description,
        "required": prop.required,
        "minimum": options.get("minimum"),
        "maximum": options.get("maximum"),
        "pattern": options.get("pattern"),
        "max_length": options.get("maxLength"),
        "values": tuple(str(e.value) for e in prop.enum) if prop.enum else None,
        "codes": {code: str(e.value) for e in prop.enum for code in e.tags or []} if prop.enum else None,
        "sources": tuple(prop.transformSourceObjects) if prop.transformSourceObjects else None,
        "pii": custom.get("pii"),
        "known_at": custom.get("knownAt"),
        "provenance": custom.get("provenance"),
        "role": custom.get("role"),
        "header": prop.physicalName,
        "form": custom.get("form"),
        "match": _match(custom.get("match")),
    }
    merged = {k: v for k, v in (base | {k: v for k, v in stated.items() if v is not None}).items() if v is not None}
    if settings["kind"] in ("mart", "query"):
        merged.setdefault("physical", _IN_SQL[merged["type"]])
    return Column(name=_text(prop.name), **merged)


def _logical(prop: "SchemaProperty") -> str:
    return _LOGICAL.get(prop.logicalType or "", prop.logicalType or "")


def _match(given: dict[str, Any] | None) -> Match | None:
    return Match(**{**given, "among": tuple(given["among"])}) if given else None


def _references(table: "SchemaObject") -> tuple[Reference, ...]:
    given = [(_text(p.name), r.to) for p in table.properties or [] for r in p.relationships or []]
    return tuple(Reference(column, *str(to).split(".", 1)) for column, to in given)


def _among_published(known: dict[str, Contract]) -> dict[str, Contract]:
    """A cleaned table refers to the cleaned table of what its source refers to."""
    cleaned = {c.source: c.name for c in known.values() if c.source}

    def among_published(contract: Contract) -> Contract:
        if contract.kind == "source":
            return contract
        moved = (replace(r, contract=cleaned.get(r.contract, r.contract)) for r in contract.references)
        return replace(contract, references=tuple(moved))

    return {name: among_published(contract) for name, contract in known.items()}


def _check_references(known: dict[str, Contract]) -> None:
    for contract in known.values():
        for reference in contract.references:
            known[reference.contract].column(reference.target)
            contract.column(reference.column)
        for column in contract.columns:
            if column.match and contract.kind == "source":
                contract.column(column.match.name)
                for source in column.match.among:
                    known[source].column(column.match.name), known[source].column(column.name)
        for rule in contract.rules:
            for name in re.findall(r"[{](\w+)[}]", rule.holds):
                contract.column(name)
        if contract.version_column and not contract.column(contract.version_column).required:
            raise ContractError(f"{contract.name}: its version column {contract.version_column} must be required.")


def _custom(element: Any) -> dict[str, Any]:
    return {p.property: p.value for p in element.customProperties or []}


def _text(value: str | None) -> str:
    return " ".join((value or "").split())
