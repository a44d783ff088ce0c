"""The data contracts: the single definition of columns, types, ranges, keys and personal data.

Written in the Open Data Contract Standard (contracts/**/*.odcs.yaml), read here as plain typed data. Validation, Glue
tables, Redshift DDL and the data dictionary are derived from them.
"""

import json
from functools import cache
from importlib import resources
from pathlib import Path

from solvent.contracts.model import (
    Column,
    Contract,
    ContractError,
    Contracts,
    Reference,
    from_data,
    to_data,
)

__all__ = ["Column", "Contract", "ContractError", "Contracts", "Reference", "compile", "load"]

COMPILED = "_compiled/contracts.json"


@cache
def load() -> Contracts:
    """All contracts: compiled JSON where the package was shipped (Lambda, Glue, SageMaker), else the checkout's YAML.

    Raises ContractError when a contract is not valid or there is none.
    """
    compiled = resources.files("solvent").joinpath(COMPILED)
    if compiled.is_file():
        return Contracts({c["name"]: from_data(c) for c in json.loads(compiled.read_text())})
    from solvent.contracts import odcs

    return odcs.read(odcs.checkout_folder())


def compile(path: Path) -> None:
    """Write the checkout's contracts as the JSON that `load` reads without YAML (build step)."""
    from solvent.contracts import odcs

    contracts = odcs.read(odcs.checkout_folder())
    data = [to_data(contracts[name]) for name in sorted(contracts)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, sort_keys=True, separators=(",", ":")) + "\n")
