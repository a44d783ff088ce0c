"""The rulesets that the stack gives to Glue Data Quality say what the contracts say and what the ETL checks."""

import datetime
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import dqdl_rules
import duckdb
import pyarrow as pa
import pytest
from dqdl_rules import Rule
from lakehouse import Lakehouse

from solvent import contracts, etl, naming
from solvent.contracts import Column, Contract, dqdl
from solvent.datasets import synthetic
from solvent.etl import quality

PUBLISHED = [c for p in naming.PORTFOLIOS for c in contracts.load().in_the_lake(p)]


def implied(contract: Contract) -> Counter[tuple[Any, ...]]:
    """What a contract asks, written down a second time: (rule type, parameters, operator, operand)."""
    found: list[tuple[Any, ...]] = [("IsPrimaryKey", contract.key, None, None)]
    if contract.minimum_rows:
        found.append(("RowCount", (), ">=", contract.minimum_rows))
    for r in contract.references:
        if contract.column(r.column).required or r.column in contract.key:
            found.append(("ReferentialIntegrity", (r.column, f"{r.contract}.{r.target}"), "=", 1.0))
    for c in contract.columns:
        name = (c.name,)
        found += [("IsComplete", name, None, None)] * c.required
        found += [("ColumnValues", name, ">=", c.minimum)] * (c.minimum is not None)
        found += [("ColumnValues", name, "<=", c.maximum)] * (c.maximum is not None)
        found += [("ColumnValues", name, "in", c.values)] * bool(c.values)
        found += [("ColumnValues", name, "matches", c.pattern)] * bool(c.pattern)
        found += [("ColumnLength", name, "<=", c.max_length)] * bool(c.max_length)
    return Counter(found)


def plain(rule: Rule) -> tuple[Any, ...]:
    operand = tuple(rule.operand) if isinstance(rule.operand, list) else rule.operand
    return rule.type, rule.parameters, rule.operator, operand


@pytest.mark.parametrize("contract", PUBLISHED, ids=lambda c: c.name)
def test_every_rule_of_a_contract_is_in_its_ruleset_once(contract: Contract) -> None:
    rules = dqdl_rules.parse(dqdl.ruleset(contract))
    assert Counter(map(plain, rules)) == implied(contract)
    for rule in rules:
        if rule.type == "ColumnValues":
            # Glue lets no null pass a ColumnValues; the contract lets it pass where the column is optional.
            assert (rule.where is None) == contract.column(rule.parameters[0]).required


@pytest.mark.parametrize("text", ['back\\slash "and" quotes', '^["\\\\]$', "it's"])
def test_texts_are_escaped(text: str) -> None:
    column = Column("c", "string", "VARCHAR(9)", pattern=text, values=(text,), required=True)
    contract = Contract("t", "p", "published", "p", "cleaned", "", (column,), ("c",))
    rules = {rule.operator: rule.operand for rule in dqdl_rules.parse(dqdl.ruleset(contract))}
    assert (rules["matches"], rules["in"]) == (text, [text])
    with pytest.raises(ValueError, match="line break"):
        dqdl.ruleset(
            Contract("t", "p", "published", "p", "cleaned", "", (Column("c", "string", "X", pattern="a\nb"),), ("c",))
        )


def test_numbers_are_written_out() -> None:
    column = Column("c", "number", "DOUBLE PRECISION", minimum=-1e-7, maximum=1e15)
    rules = dqdl.rules(Contract("t", "p", "published", "p", "cleaned", "", (column,), ("c",)))
    assert rules[1:] == [
        'ColumnValues "c" >= -0.0000001 where "c is not null"',
        'ColumnValues "c" <= 1000000000000000.0 where "c is not null"',
    ]


def test_a_ruleset_that_glue_would_refuse_fails_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dqdl, "LARGEST", 100)
    with pytest.raises(ValueError, match="Glue takes 100"):
        dqdl.ruleset(contracts.load()["customers"])


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """Every published table of a messy delivery."""
    from moto import mock_aws

    folder = tmp_path_factory.mktemp("quality")
    synthetic.generate(folder / "files", customers=60, loans=60, seed=5, mess=3.0)
    (folder / "work").mkdir()
    with mock_aws():
        lakehouse = Lakehouse(folder / "work")
        job = lakehouse.deliver(folder / "files")
        lakehouse.run(job)
        return {c.name: lakehouse.table(job, c.zone, c.name) for c in contracts.load().in_the_lake("lending")}


def test_what_the_etl_calls_good_is_good_by_the_rulesets(cleaned: dict[str, pa.Table]) -> None:
    by_name = {c.name: c for c in contracts.load().in_the_lake("lending")}
    judged = 0
    for name, table in cleaned.items():
        for rule in dqdl_rules.parse(dqdl.ruleset(by_name[name])):
            assert dqdl_rules.holds(rule, table, cleaned), f"{name}: {rule}"
            judged += 1
    assert judged > 150


def broken_by(rule: Rule, table: pa.Table) -> Any:
    """A value that breaks a rule on one column."""
    if rule.type == "IsComplete":
        return None
    if rule.operator in ("in", "matches"):
        return "\u2205 nothing like it"
    if rule.type == "ColumnLength":
        return "x" * (rule.operand + 1)
    step = 1 if rule.operator == "<=" else -1
    if isinstance(rule.operand, str):
        return datetime.date.fromisoformat(rule.operand) + datetime.timedelta(days=step)
    value = Decimal(str(rule.operand)) + step
    kind = table.schema.field(rule.parameters[0]).type
    return value if pa.types.is_decimal(kind) else float(value) if pa.types.is_floating(kind) else int(value)


@pytest.mark.parametrize("name", ["customers", "loans", "repayments", "application_events", "application_features"])
def test_a_broken_rule_is_seen_by_that_rule(name: str, cleaned: dict[str, pa.Table]) -> None:
    table, contract = cleaned[name], contracts.load()[name]
    for rule in dqdl_rules.parse(dqdl.ruleset(contract)):
        if rule.type == "IsPrimaryKey":
            damaged = pa.concat_tables([table, table.slice(0, 1)])
        elif rule.type == "ReferentialIntegrity":
            damaged = replaced(table, rule.parameters[0], "X999999")
        elif rule.type == "RowCount":
            damaged = table.slice(0, 0)
        else:
            damaged = replaced(table, rule.parameters[0], broken_by(rule, table))
        assert not dqdl_rules.holds(rule, damaged, cleaned), f"{name}: {rule}"


def replaced(table: pa.Table, column: str, value: Any) -> pa.Table:
    at, kind = table.column_names.index(column), table.schema.field(column).type
    values = [value, *table.column(column).to_pylist()[1:]]
    return table.set_column(at, column, pa.array(values, type=kind))


def own(contract: Contract, table: pa.Table) -> dict[str, Any]:
    """What the ETL itself counts of a table that a step computed."""
    with duckdb.connect() as connection:
        connection.register(contract.name, table)
        result = connection.execute(quality.broken(contract))
        names = [column[0] for column in result.description or []]
        [row] = result.fetchall()
        return dict(zip(names, row, strict=True))


@pytest.mark.parametrize("contract", contracts.load().steps("lending"), ids=lambda c: c.name)
def test_the_etl_and_the_ruleset_agree_on_good_and_broken_tables(
    contract: Contract, cleaned: dict[str, pa.Table]
) -> None:
    table = cleaned[contract.name]
    assert quality.report(contract, own(contract, table)) == {}
    judged = 0
    for rule in dqdl_rules.parse(dqdl.ruleset(contract)):
        if rule.type in ("ReferentialIntegrity", "RowCount"):
            continue
        if rule.type == "IsPrimaryKey" or rule.parameters[0] in contract.key and rule.type == "IsComplete":
            damaged = pa.concat_tables([table, table.slice(0, 1)])
            if rule.type == "IsComplete":
                damaged = replaced(nullable(table), rule.parameters[0], None)
            with pytest.raises(etl.EtlError, match=f"{contract.name} would have"):
                quality.report(contract, own(contract, damaged))
            continue
        damaged = replaced(nullable(table), rule.parameters[0], broken_by(rule, table))
        found = quality.report(contract, own(contract, damaged))
        assert set(found.values()) == {1}, rule
        assert {text.partition(" - ")[0] for text in found} == {rule.parameters[0]}
        judged += 1
    assert judged > 20


def nullable(table: pa.Table) -> pa.Table:
    return table.cast(pa.schema([field.with_nullable(True) for field in table.schema]))


def test_too_few_rows_end_the_run() -> None:
    contract = replace(contracts.load()["application_features"], minimum_rows=3)
    found = {"total": 2, "repeated": 0, "absent": 0}
    with pytest.raises(etl.EtlError, match="2 rows in all, at least 3 are due"):
        quality.report(contract, found)
