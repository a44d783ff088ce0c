"""SQL for one column of a contract: its value from the text delivered, and the rules that the text may break.

DuckDB dialect, within the part that sqlglot carries over to Spark with the same meaning: a pattern decides before a
TRY_CAST does. Ways of writing days, years and numbers of registers are in `solvent.etl.forms`. Names and values come
from the contracts alone.
"""

from solvent.contracts import Column
from solvent.etl import forms

# What systems write for "nothing". `none` is not among them: it is a level of some columns.
ABSENT = ("-", "n/a", "na", "null")
NOT_COMPUTED = ("#n/a", "#div/0!", "#num!")  # what spreadsheets write
_NOTHING = rf"^ *(?i:{'|'.join((*ABSENT, *NOT_COMPUTED))})? *\z"
_INTEGER = r"^-?[0-9]{1,9}([.]0*)?\z"
_LONG = r"^-?[0-9]{1,18}([.]0*)?\z"
_AMOUNT = r"([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,15})([.][0-9]{1,18})?"
_PLAIN = r"^-?[0-9]{1,15}([.][0-9]{1,18})?\z"
_NUMBER = rf"^(-?[$€£]? ?{_AMOUNT}|[(][$€£]? ?{_AMOUNT}[)])\z"
_TIME = r"^(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?Z?)?\z"
_CONTROL = r"[\x00-\x1f\x7f]"
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")

_NOT_A = {
    "integer": "not a whole number",
    "number": "not a number",
    "date": "not a date",
    "timestamp": "not a time",
    "boolean": "not true or false",
}
_NOT_OF_FORM = {"fiscal_year": "not a fiscal year", "identifier": "wrong form", "spellings": "not an allowed value"}


def given(name: str) -> str:
    """The field without blanks around it; null when it says that there is nothing."""
    # One pattern costs less than words in lower case; a list of five words or more DuckDB would even turn into a join.
    return f"CASE WHEN REGEXP_MATCHES({name}, '{_NOTHING}') THEN NULL ELSE TRIM({name}, ' ') END"


def typed(column: Column) -> str:
    """The value in the contract's type; null when the text is not of that type."""
    name, physical = column.name, column.physical
    if column.form == "fiscal_year":
        return forms.fiscal_year(name)
    if column.form == "identifier":
        return forms.identifier(name, column)
    if column.form == "spellings":
        return forms.spelling(name, column)
    if column.type == "integer":
        form = _LONG if physical == "BIGINT" else _INTEGER
        digits = rf"REGEXP_REPLACE({name}, '[.]0*\z', '', 'g')"
        return f"CASE WHEN REGEXP_MATCHES({name}, '{form}') THEN TRY_CAST({digits} AS {physical}) END"
    if column.type == "number":
        sign = f"CASE WHEN {name} LIKE '(%' OR {name} LIKE '-%' THEN '-' ELSE '' END"
        digits = f"CONCAT({sign}, REGEXP_REPLACE({name}, '[^0-9.]', '', 'g'))"
        target = "DOUBLE" if physical == "DOUBLE PRECISION" else physical
        # Nearly all are plain, and need not be taken apart.
        return (
            f"CASE WHEN REGEXP_MATCHES({name}, '{_PLAIN}') THEN TRY_CAST({name} AS {target}) "
            f"WHEN REGEXP_MATCHES({name}, '{_NUMBER}') THEN TRY_CAST({digits} AS {target}) END"
        )
    if column.type == "date":
        return forms.day(name)
    if column.type == "timestamp":
        text = f"REPLACE(REPLACE({name}, 'T', ' '), 'Z', '')"
        return f"CASE WHEN REGEXP_MATCHES({name}, '{_TIME}') THEN TRY_CAST({text} AS TIMESTAMP) END"
    if column.type == "boolean":
        yes, no = f"LOWER({name}) IN ({_list(_TRUE)})", f"LOWER({name}) IN ({_list(_FALSE)})"
        return f"CASE WHEN {yes} THEN TRUE WHEN {no} THEN FALSE END"
    return name


def flag(name: str) -> str:
    """True where the text of a column says yes, else false."""
    return f"CASE WHEN LOWER(TRIM({name}, ' ')) IN ({_list(_TRUE)}) THEN TRUE ELSE FALSE END"


def type_reason(column: Column) -> str | None:
    """What is said of a value that is not of the column's type; None for text, which is always of its type."""
    if column.type not in _NOT_A:
        return None
    return f"{column.name} - {_NOT_OF_FORM.get(column.form or '', _NOT_A[column.type])}"


def reasons(column: Column) -> list[str]:
    """For each rule of the column an expression: `; column - rule` where a row breaks it, else an empty text."""
    name, value = column.name, f"typed_{column.name}"
    rules = []
    if column.required:
        rules.append((f"{name} IS NULL", "missing"))
    if column.form or column.type in _NOT_A:
        what = _NOT_OF_FORM[column.form] if column.form else _NOT_A[column.type]
        rules.append((f"{name} IS NOT NULL AND {value} IS NULL", what))
    if column.minimum is not None:
        rules.append((f"{value} < {_bound(column, column.minimum)}", f"below {column.minimum}"))
    if column.maximum is not None:
        rules.append((f"{value} > {_bound(column, column.maximum)}", f"above {column.maximum}"))
    if column.form and column.type == "string":
        pass  # the form has decided
    elif column.values:
        none = " AND ".join(f"{name} NOT IN ({_list(some)})" for some in _short(column.values))
        rules.append((none, "not an allowed value"))
    elif column.type == "string":
        rules.append((f"REGEXP_MATCHES({name}, '{_CONTROL}')", "control character"))
    if column.pattern and not column.form:
        rules.append((f"NOT REGEXP_MATCHES({name}, {pattern(column)})", "wrong form"))
    if column.max_length:
        rules.append((f"LENGTH({name}) > {column.max_length}", f"longer than {column.max_length} characters"))
    return [reason(condition, f"{name} - {rule}") for condition, rule in rules]


def reason(condition: str, text: str) -> str:
    return f"CASE WHEN {condition} THEN {_literal(f'; {text}')} ELSE '' END"


def _bound(column: Column, value: float | str) -> str:
    return f"CAST({_literal(str(value))} AS DATE)" if column.type == "date" else str(value)


def pattern(column: Column) -> str:
    """The contract's pattern as a literal that means the same to RE2 (DuckDB) and Java (Spark)."""
    # Java's $ also matches before a final line feed, RE2's does not; \z is the end in both.
    text = column.pattern or ".*"
    return _literal(text[:-1] + r"\z" if text.endswith("$") else text)


def _short(values: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [values[start : start + 4] for start in range(0, len(values), 4)]


def _list(values: tuple[str, ...]) -> str:
    return ", ".join(_literal(v) for v in values)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
