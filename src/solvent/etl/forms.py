"""Ways of writing that a type alone does not tell: days, fiscal years, register numbers, spellings of a level.

SQL in DuckDB's dialect, within the part that sqlglot carries over to Spark with the same meaning: a pattern decides
before a TRY_CAST does, days are rebuilt as ISO text. No extraction by group: the engines number groups differently.
"""

import re

from solvent.contracts import Column

_YEAR = "(19|20)[0-9]{2}"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "(?i:jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?"
    "|dec(ember)?)"
)
_ISO = rf"^{_YEAR}-[0-9]{{2}}-[0-9]{{2}}\z"
_COMPACT = rf"^{_YEAR}[0-9]{{4}}\z"  # 20230315
_DOTTED = rf"^[0-9]{{1,2}}[.][0-9]{{1,2}}[.]{_YEAR}\z"  # day.month.year
_SLASHED = rf"^[0-9]{{1,2}}/[0-9]{{1,2}}/{_YEAR}\z"  # month/day/year
# 15-Mar-2023, 15 March 2023; Mar 15 2023, March 15, 2023
_NAMED = rf"^([0-9]{{1,2}}[- ]{_MONTH}[.]?[- ]{_YEAR}|{_MONTH}[.]? [0-9]{{1,2}},? {_YEAR})\z"

_SINGLE_YEAR = rf"^([Ff][Yy] ?)?{_YEAR}([.]0*)?\z"  # 2023, 2023.0, FY2023
_SPAN = rf"^([Ff][Yy] ?)?{_YEAR}/(19|20)?[0-9]{{2}}\z"  # 2023/24, FY 2023/2024
_IDENTIFIER = r"^([A-Za-z]{2,4}[ -]?)?[0-9]{1,WIDTH}([.]0*)?\z"  # 1234, 00001234, KRS 1234, 1234.0


def day(name: str) -> str:
    """A DATE from a column of texts; null where the text is in none of the known forms or names no day.

    The order of day and month is decided by the separator: a dot has the day first, a slash the month.
    """
    compact = f"CONCAT(SUBSTRING({name}, 1, 4), '-', SUBSTRING({name}, 5, 2), '-', SUBSTRING({name}, 7, 2))"
    numbers = f"TRIM(REGEXP_REPLACE({name}, '[^0-9]+', ' ', 'g'), ' ')"  # "15 2023" whatever stands around them
    named = _joined(_part(numbers, " ", 2), _month(name), _part(numbers, " ", 1))
    dotted = _joined(_part(name, ".", 3), _part(name, ".", 2), _part(name, ".", 1))
    slashed = _joined(_part(name, "/", 3), _part(name, "/", 1), _part(name, "/", 2))
    forms = ((_ISO, name), (_DOTTED, dotted), (_SLASHED, slashed), (_COMPACT, compact), (_NAMED, named))
    cases = " ".join(f"WHEN REGEXP_MATCHES({name}, '{form}') THEN TRY_CAST({text} AS DATE)" for form, text in forms)
    return f"CASE {cases} END"


def fiscal_year(name: str) -> str:
    """The calendar year in which a fiscal year ends: 2023 of `2023`, `2023.0` and `FY2023`, 2024 of `2023/24`.

    Null where the text is no year, or two years that do not follow one another.
    """
    digits = f"REGEXP_REPLACE({name}, '[^0-9]', '', 'g')"
    first = f"TRY_CAST(SUBSTRING({digits}, 1, 4) AS INTEGER)"
    # The last two digits decide; of a second year with four, its century must be right as well.
    last = f"TRY_CAST(SUBSTRING({digits}, LENGTH({digits}) - 1, 2) AS INTEGER)"
    century = f"SUBSTRING({digits}, 5, 2) = SUBSTRING(CAST({first} + 1 AS VARCHAR), 1, 2)"
    follows = f"({first} + 1) % 100 = {last} AND (LENGTH({digits}) = 6 OR {century})"
    return (
        f"CASE WHEN REGEXP_MATCHES({name}, '{_SINGLE_YEAR}') THEN {first} "
        f"WHEN REGEXP_MATCHES({name}, '{_SPAN}') AND {follows} THEN {first} + 1 END"
    )


def identifier(name: str, column: Column) -> str:
    """A register's number, filled with zeros to the column's width; null where the text is none."""
    width = width_of(column)
    digits = f"REGEXP_REPLACE(REGEXP_REPLACE({name}, '[.]0*\\z', '', 'g'), '[^0-9]', '', 'g')"
    form = _IDENTIFIER.replace("WIDTH", str(width))
    return f"CASE WHEN REGEXP_MATCHES({name}, '{form}') THEN LPAD({digits}, {width}, '0') END"


def spelling(name: str, column: Column) -> str:
    """The level of which the text is a spelling (a tag of the contract), whatever case, blanks and signs; else null."""
    plain = f"REGEXP_REPLACE(LOWER({name}), '[^a-z0-9]', '', 'g')"
    spellings = {_plain(value): value for value in column.values} | {_plain(k): v for k, v in column.codes.items()}
    cases = " ".join(f"WHEN '{text}' THEN '{value}'" for text, value in spellings.items())
    return f"CASE {plain} {cases} END"


def width_of(column: Column) -> int:
    """8 of VARCHAR(8)."""
    return int(column.physical.removeprefix("VARCHAR(").rstrip(")"))


def _plain(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.lower())


def _part(name: str, separator: str, place: int) -> str:
    return f"SPLIT_PART({name}, '{separator}', {place})"


def _joined(year: str, month: str, day: str) -> str:
    return f"CONCAT({year}, '-', LPAD({month}, 2, '0'), '-', LPAD({day}, 2, '0'))"


def _month(name: str) -> str:
    letters = f"SUBSTRING(LOWER(REGEXP_REPLACE({name}, '[^A-Za-z]', '', 'g')), 1, 3)"
    cases = " ".join(f"WHEN '{text}' THEN '{number:02d}'" for number, text in enumerate(_MONTHS, 1))
    return f"CASE {letters} {cases} END"
