"""Invented companies: register numbers, names, and the spellings that others use for them."""

import math
from dataclasses import dataclass

import numpy as np

from solvent.datasets.files import Array

_FIRST = (
    "Abel Birch Cedar Dunmore Ebert Falk Gray Harbor Illig Juniper Klein Lakeside Müller Nordic Östlund Pioneer Quarry "
    "Ridge Société Thal Union Västra Westend Yorke Zürich Łódź Summit Delta Granite Beacon"
)
_SECOND = (
    "Steel Foods Textile Timber Logistics Energy Paper Glass Chemical Motor Electric Marine Dairy Mining Packaging "
    "Furniture Optics Plastics Machine Grain Copper Software Media Retail Transport Building Tool Water Salt Print"
)
_THIRD = "Works Group Partners Industries Holding Trading Services Systems Brothers Products"
_WORDS = tuple(words.split() for words in (_FIRST, _SECOND, _THIRD))
_FORMS = {
    "Inc.": ("Inc.", "INC", "Incorporated", ", Inc."),
    "Corp.": ("Corp.", "Corporation", "CORP"),
    "Ltd": ("Ltd", "Ltd.", "Limited", "LTD"),
    "LLC": ("LLC", "L.L.C.", "llc"),
    "GmbH": ("GmbH", "G.m.b.H.", "GMBH"),
    "AG": ("AG", "A.G."),
    "S.A.": ("S.A.", "SA"),
    "Sp. z o.o.": ("Sp. z o.o.", "SP Z OO"),
}
_PLAIN = str.maketrans("üÖéäŁóź", "uOeaLoz")
SECTORS = ("construction", "manufacturing", "retail", "services", "transport", "technology")


@dataclass(frozen=True)
class Companies:
    """All (n,). `stem` is the name without its legal form: who has the same stem cannot be told apart by name."""

    company_id: Array
    stem: list[str]
    form: list[str]
    sector: Array
    country: Array

    @property
    def name(self) -> list[str]:
        return [f"{stem} {form}" for stem, form in zip(self.stem, self.form, strict=True)]


def found(size: int, generator: np.random.Generator, *, twins: float = 0.01) -> Companies:
    """`size` companies; a share `twins` bears the stem of another one, with another legal form."""
    number = np.sort(generator.choice(90_000_000, size, replace=False)) + 1_000
    stems = [_stem(i) for i in generator.permutation(max(size, math.prod(len(choice) for choice in _WORDS)))[:size]]
    forms = generator.choice(np.array(list(_FORMS)), size).tolist()
    others = sorted(set(_FORMS))
    for twin in range(1, round(twins * size) + 1):
        stems[-twin] = stems[twin - 1]
        forms[-twin] = others[(others.index(forms[twin - 1]) + 1) % len(others)]
    return Companies(
        company_id=np.char.mod("%08d", number),
        stem=stems,
        form=forms,
        sector=generator.choice(np.array(SECTORS), size),
        country=generator.choice(np.array(["US", "DE", "GB", "PL", "FR"]), size, p=[0.4, 0.2, 0.2, 0.1, 0.1]),
    )


def spelled(stem: str, form: str, generator: np.random.Generator) -> str:
    """The name as somebody else writes it; it still means the same company."""
    style = int(generator.integers(6))
    form = str(generator.choice(np.array(_FORMS[form])))
    if style == 0:
        return f"{stem} {form}".upper()
    if style == 1:
        return f"{stem.translate(_PLAIN)} {form}"
    if style == 2:
        return stem
    if style == 3:
        return f"{stem.replace(' ', '-', 1)}, {form.lstrip(', ')}"
    if style == 4:
        return f"  {stem.replace(' ', '  ')} {form.lower()}"
    return f"{stem} {form}".replace(" ,", ",")


def numbered(company_id: str, generator: np.random.Generator) -> str:
    """The register's number as somebody else writes it."""
    style = int(generator.integers(4))
    short = company_id.lstrip("0")
    return (company_id, short, f"{short}.0", f"KRS {company_id}")[style]


def _stem(number: int) -> str:
    rest, words = int(number), []
    for choice in _WORDS:
        rest, word = divmod(rest, len(choice))
        words.append(choice[word])
    return " ".join(words) + (f" {rest + 1}" if rest else "")
