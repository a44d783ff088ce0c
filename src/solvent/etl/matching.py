"""Which company a row means: its own number, else its name (docs/key-matching.md).

SQL in DuckDB's dialect, within the part that sqlglot carries over to Spark with the same meaning. Case is folded by a
list of letters: UPPER differs between the engines beyond ASCII.
"""
# Names come from the reviewed contracts alone, none from a delivery.
# ruff: noqa: S608

import string
import unicodedata

from solvent.contracts import Column, Contract, Contracts
from solvent.etl import fields

# Words that say which kind of company it is, as they stand once punctuation is gone; removed from the end of a name.
LEGAL_FORMS = (
    *("INC", "INCORPORATED", "CORP", "CORPORATION", "CO", "COMPANY", "LLC", "LLP", "LP", "LTD", "LIMITED", "PLC"),
    *("GMBH", "MBH", "AG", "KG", "KGAA", "OHG", "UG", "SE", "SA", "SAS", "SARL", "SRL", "SPA", "SL", "BV", "NV"),
    *("AB", "AS", "ASA", "APS", "OY", "OYJ", "SP Z OO", "SP ZOO", "SPOLKA AKCYJNA", "AND"),
)
_LETTERS = {"ß": "SS", "ẞ": "SS", "æ": "AE", "Æ": "AE", "œ": "OE", "Œ": "OE", "&": " AND ", "+": " AND "}
_STROKES = {
    "ł": "L",
    "Ł": "L",
    "ø": "O",
    "Ø": "O",
    "đ": "D",
    "Đ": "D",
    "ı": "I",
    "ð": "D",
    "Ð": "D",
    "þ": "T",
    "Þ": "T",
}


def _folded() -> dict[str, str]:
    """Each Latin letter with an accent -> the capital without."""
    found = dict(zip(string.ascii_lowercase, string.ascii_uppercase, strict=True)) | _STROKES
    for code in range(0xC0, 0x24F):
        base = unicodedata.normalize("NFD", chr(code))[0].upper()
        if base != chr(code) and base in string.ascii_uppercase:
            found[chr(code)] = base
    return found


def normalised(text: str) -> str:
    """An expression for the form in which names are compared; null where nothing is left of the text.

    Capitals without accents or punctuation, words separated by one blank, without the legal form at the end.
    """
    plain, accented = f"UPPER({text})", text
    for letter, instead in _LETTERS.items():
        if letter.isascii():
            plain = f"REPLACE({plain}, '{letter}', '{instead}')"
        accented = f"REPLACE({accented}, '{letter}', '{instead}')"
    folded = _folded()
    accented = f"TRANSLATE({accented}, '{''.join(folded)}', '{''.join(folded.values())}')"
    # The long list of letters costs, and most names are ASCII.
    text = rf"CASE WHEN REGEXP_MATCHES({text}, '[^\x00-\x7f]') THEN {accented} ELSE {plain} END"
    # Accents of their own (decomposed text), dots and apostrophes join what they stand between; the rest separates.
    text = rf"REGEXP_REPLACE({text}, '[\x{{0300}}-\x{{036f}}.\x{{27}}\x{{60}}\x{{2019}}]', '', 'g')"
    text = f"TRIM(REGEXP_REPLACE({text}, '[^A-Z0-9]+', ' ', 'g'), ' ')"
    text = rf"REGEXP_REPLACE({text}, '( ({'|'.join(LEGAL_FORMS)}))+\z', '', 'g')"
    return f"NULLIF({text}, '')"


def resolve(contract: Contract, contracts: Contracts) -> tuple[str, str]:
    """`(CTEs, table)`: what turns the table `typed` into one whose matched columns are found, and its name.

    In it `typed_<column>` is the row's own key if that is well-formed, else the one known by its name; `ids_<column>`
    says how many are meant.
    """
    ctes, table = "", "typed"
    for column in contract.columns:
        if column.match is None:
            continue
        name = column.name
        own = f"{table}.typed_{name}"
        everyone = f"everyone_{name}"
        # A name is looked at only where there is no key.
        sought = f"CASE WHEN {own} IS NULL THEN {normalised(f'{table}.typed_{column.match.name}')} END"
        kept = ["_source_file", "_row_number", "_tombstone", *contract.column_names]
        kept += [f"typed_{n}" for n in contract.column_names if n != name]
        stranger, there = "", ""
        if column.match.known:
            stranger = "WHEN there.id IS NULL THEN 0 "
            there = f"LEFT JOIN (SELECT DISTINCT id FROM {everyone}) AS there ON there.id = {own}"
        ctes += (
            f", {everyone} AS ({_everyone(column, contracts)})"
            f", named_{name} AS (SELECT name, MIN(id) AS id, COUNT(DISTINCT id) AS ids FROM {everyone} GROUP BY name)"
            f", matched_{name} AS (SELECT {', '.join(f'{table}.{c}' for c in kept)}, "
            f"COALESCE({own}, CASE WHEN named.ids = 1 THEN named.id END) AS typed_{name}, "
            f"CASE WHEN {own} IS NULL THEN COALESCE(named.ids, 0) {stranger}ELSE 1 END AS ids_{name} "
            f"FROM {table} LEFT JOIN named_{name} AS named "
            f"ON named.name = {sought} {there})"
        )
        table = f"matched_{name}"
    return ctes, table


def reasons(column: Column) -> list[str]:
    """The rules of a matched column: someone is meant, and one only."""
    what = column.name.removesuffix("_id")
    return [
        fields.reason(f"ids_{column.name} = 0", f"{what} - unknown"),
        fields.reason(f"ids_{column.name} > 1", f"{what} - ambiguous"),
    ]


def _everyone(column: Column, contracts: Contracts) -> str:
    """Everybody under each of their names. A name stands in many rows: it is normalised once."""
    assert column.match
    names = " UNION ".join(
        f"SELECT {column.name} AS id, {column.match.name} AS spelt FROM {contracts.cleaned(source).name}"
        for source in column.match.among
    )
    return f"SELECT id, {normalised('spelt')} AS name FROM ({names}) AS spellings"
