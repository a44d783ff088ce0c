"""The contracts are valid, say what the platform relies on, and everything derived from them agrees."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from re import _parser  # knows how long a match may become

import pytest
import sqlglot
import yaml

from solvent import contracts, specification
from solvent.contracts import Contract, ContractError, dictionary, from_data, glue, odcs, redshift

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "contracts").rglob("*.odcs.yaml"))
ALL = contracts.load()
PUBLISHED = [c for c in ALL.values() if c.kind == "published"]
SOURCES = [c for c in ALL.values() if c.kind == "source"]


def name(item: Contract | Path) -> str:
    return item.name


@pytest.mark.parametrize("path", FILES, ids=name)
def test_each_file_is_valid_by_the_standard(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = yaml.safe_load(path.read_text())
    jsonschema.validate(
        document, json.loads(resources.files("open_data_contract_standard").joinpath("schema.json").read_text())
    )
    assert path.name == f"{document['name']}.odcs.yaml"


@pytest.mark.parametrize("contract", ALL.values(), ids=name)
def test_each_contract_is_complete(contract: Contract) -> None:
    assert contract.description
    assert contract.purpose
    assert len(set(contract.column_names)) == len(contract.columns)
    for key in contract.key:
        assert contract.column(key).required, "a key is never absent"
    for column in contract.columns:
        assert column.type in contracts.model.TYPES
        assert column.description
        assert column.pii in ("none", "direct", "indirect", "protected")
        assert column.known_at in ("signup", "application", "record", "outcome")
        glue.type_of(column)
        if column.type == "string" and contract.kind == "source":
            assert column.values or column.pattern or column.max_length, f"{column.name} has no bound"


def too_long(contract: Contract) -> list[str]:
    """Columns with a text that validation lets pass and that Redshift, which counts bytes, would refuse."""
    found = []
    for column in contract.columns:
        if column.type == "string":
            size = int(column.physical.removeprefix("VARCHAR(").rstrip(")"))
            # Of a pattern's characters, those that are not ASCII take up to 4 bytes; ours without a length are ASCII.
            widest = [len(v.encode()) for v in column.values]
            if column.max_length:
                widest.append(4 * column.max_length)
            elif column.pattern:
                widest.append(_parser.parse(column.pattern).getwidth()[1])
            found += [column.name] if max(widest, default=0) > size else []
    return found


@pytest.mark.parametrize("contract", ALL.values(), ids=name)
def test_every_text_that_validation_lets_pass_fits_into_its_redshift_column(contract: Contract) -> None:
    assert too_long(contract) == []


@pytest.mark.parametrize(
    ("source", "column", "physical"),
    [
        ("customer_profile", "telephone", "VARCHAR(10)"),  # `not_registered` needs 14
        ("customer_profile", "customer_id", "VARCHAR(6)"),  # the pattern asks for 7
        ("customer_profile", "full_name", "VARCHAR(100)"),  # 100 characters, up to 400 bytes
    ],
)
def test_a_column_that_is_too_short_is_found(source: str, column: str, physical: str) -> None:
    columns = tuple(replace(c, physical=physical) if c.name == column else c for c in ALL[source].columns)
    assert too_long(replace(ALL[source], columns=columns)) == [column]


def test_what_the_analytics_need_is_there() -> None:
    needed = {
        "customer_profile": "signup_date annual_income region profession employment_type credit_score",
        "loan_application": "amount term_months annual_rate purpose interest fees published_default",
        "application_event": "stage team occurred_at",
        "repayment_history": "due_date paid_date amount_due amount_paid recovered_amount",
    }
    for source, columns in needed.items():
        assert set(columns.split()) <= set(ALL[source].column_names)


def test_no_feature_is_protected_or_known_only_afterwards() -> None:
    spec = specification.load("lending")
    table = ALL["application_features"]
    for feature in spec.features:
        column = table.column(feature.name)
        assert column.pii in ("none", "indirect")
        assert column.known_at != "outcome"
        for source in feature.sources:
            contract, _, source_column = source.partition(".")
            assert ALL[contract].column(source_column).pii in ("none", "indirect")
            if contract == "customer_profile" and source_column != "signup_date":
                # Known from the profile's last change on, which the statement compares with the application.
                assert ALL[contract].column(source_column).known_at == "record"
    assert {table.column(p).pii for p in spec.protected} == {"protected"}
    assert table.column("defaulted").known_at == "outcome"
    assert ALL["loan_application"].column("published_default").known_at == "outcome"


def test_a_model_version_is_the_number_that_the_state_machine_hands_to_the_model() -> None:
    form = ALL["predictions"].column("model_version").pattern or ""
    assert [v for v in ("1", "27", "unregistered", "lending/1", "0", "") if re.match(form, v)] == ["1", "27"]


def test_a_source_comes_after_what_it_refers_to() -> None:
    order = [c.name for c in ALL.sources("lending")]
    assert order == ["customer_profile", "loan_application", "application_event", "repayment_history"]


def test_cleaned_tables_take_columns_and_references_from_their_source() -> None:
    loans = ALL.cleaned("loan_application")
    assert loans.columns == ALL["loan_application"].columns
    assert [(r.column, r.contract) for r in loans.references] == [("customer_id", "customers")]


def test_german_codes_lead_to_the_contracts_levels() -> None:
    assert ALL["loan_application"].column("checking_status").codes["A14"] == "no_account"
    assert len(ALL["loan_application"].column("purpose").codes) == 11


def test_no_level_reads_as_absent() -> None:
    from solvent.etl.fields import ABSENT, NOT_COMPUTED

    levels = [(c.name, v) for s in SOURCES for c in s.columns for v in c.values]
    assert [name for name, v in levels if v.lower() in ABSENT + NOT_COMPUTED or v != v.strip()] == []


# Compiled


def test_the_compiled_contracts_are_the_contracts(tmp_path: Path) -> None:
    contracts.compile(tmp_path / "deep" / "contracts.json")
    found = {c["name"]: from_data(c) for c in json.loads((tmp_path / "deep" / "contracts.json").read_text())}
    assert found == dict(ALL)


def test_a_shipped_package_reads_them_with_the_standard_library_alone(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(ROOT / "src" / "solvent", tmp_path / "solvent", ignore=shutil.ignore_patterns("__pycache__"))
    contracts.compile(tmp_path / "solvent" / "_compiled" / "contracts.json")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from solvent import contracts\n"
        "from solvent.contracts import glue, redshift\n"
        "assert contracts.load()['loans'].column('amount').maximum == 10000000\n"
        "print(len(redshift.create_table(contracts.load()['loans'])), contracts.__file__)"
    )
    run = subprocess.run(  # -S: no site-packages
        [sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, env={}
    )
    assert run.returncode == 0, run.stderr
    assert str(tmp_path) in run.stdout


# Mistakes


def broken(tmp_path: Path, text: str) -> str:
    (tmp_path / "x.odcs.yaml").write_text(text)
    with pytest.raises(ContractError) as failure:
        odcs.read(tmp_path)
    return str(failure.value)


def test_a_mistake_in_a_contract_names_the_file(tmp_path: Path) -> None:
    assert "x.odcs.yaml is not valid" in broken(tmp_path, "apiVersion: v3.1.0\nnonsense: 1\n")
    text = (ROOT / "contracts/lending/published/loans.odcs.yaml").read_text()
    assert "x.odcs.yaml: 'loan_application'" in broken(tmp_path, text)  # its source is not there


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ContractError, match="no column 'amout'; it has loan_id"):
        ALL["loans"].column("amout")
    with pytest.raises(ContractError, match="No contract 'lones'"):
        ALL["lones"]


# Derived


@pytest.mark.parametrize("contract", PUBLISHED, ids=name)
def test_redshift_ddl_holds_every_column_in_order(contract: Contract) -> None:
    [create] = sqlglot.parse(redshift.create_table(contract), read="redshift")
    assert create is not None
    columns = {c.name: c for c in create.find_all(sqlglot.exp.ColumnDef)}
    assert tuple(columns) == contract.column_names
    for column in contract.columns:
        not_null = any(
            isinstance(x.kind, sqlglot.exp.NotNullColumnConstraint) for x in columns[column.name].constraints
        )
        assert not_null == column.required
    assert "IF NOT EXISTS" in redshift.create_table(contract)
    assert len(redshift.comments(contract)) == len(contract.columns) + 1


def test_a_raw_table_keeps_text_and_position() -> None:
    columns = glue.columns(ALL["loan_application"])
    assert {c["Type"] for c in columns[:-1]} == {"string"}
    assert [c["Name"] for c in columns[-2:]] == ["_source_file", "_row_number"]


def test_glue_types_follow_the_contract() -> None:
    types = {c["Name"]: c["Type"] for c in glue.columns(ALL["loans"])}
    assert types["amount"] == "decimal(14,2)"
    assert (types["application_date"], types["updated_at"], types["term_months"]) == ("date", "timestamp", "int")


def test_the_dictionary_explains_every_column_of_every_contract() -> None:
    text = dictionary.render(ALL, dictionary.Facts())
    for contract in ALL.values():
        section = text.split(f"\n### {contract.name}\n")[1].split("\n### ")[0]
        assert [c.name for c in contract.columns if f"| `{c.name}` |" not in section] == []
        assert [p.name for p in contract.parameters if f"| `{p.name}` |" not in section] == []


def test_the_dictionary_says_what_a_mart_answers_is_made_of_and_who_reads_it() -> None:
    facts = dictionary.Facts(
        question={"risk_stratification": "How are loans spread?", "rows_of_run": "Where did they go?"},
        reads={"risk_stratification": ["loans", "customers"]},
        readers={"marts.risk_stratification": "analyst", "lending.loans": "risk_officer"},
    )
    text = dictionary.render(ALL, facts)
    section = text.split("\n### risk_stratification\n")[1].split("\n### ")[0]
    assert "**How are loans spread?**" in section
    assert "view `marts.risk_stratification`" in section
    assert "made of [loans](#loans), [customers](#customers) · read by analyst" in section
    assert "`solvent query rows_of_run --param run_id=…`" in text
    assert "| 3 | Near Prime | 650 | 699 |" in text, "reference data stand there, row by row"
    asked = dictionary.questions(ALL, facts, "page.md")
    assert "| Where did they go? | [`solvent query rows_of_run`](page.md#rows_of_run) |" in asked
