"""The live model of a portfolio as a function of SQL: CREATE MODEL on its endpoint, written from the specification.

The function takes every feature, in alphabetical order, as the endpoint reads text/csv, and returns a probability.
Source: docs.aws.amazon.com/redshift/latest/dg/r_create_model_use_cases.html (bring your own model, remote inference).
"""

import hashlib
import re
from dataclasses import dataclass

from solvent.naming import PEOPLE
from solvent.specification import Specification
from solvent.warehouse import statements as sql
from solvent.warehouse.data_api import DataApi

SCHEMA = "ml"
# A request to an endpoint has at most 6 MB, and an applicant is below 2 KB.
ROWS_A_REQUEST = 1000
_TYPES = {"numeric": "FLOAT8", "categorical": "VARCHAR"}


@dataclass(frozen=True)
class SqlModel:
    """One portfolio's function, `ml.<function>`, and the model that it belongs to. `endpoint` is its name on AWS."""

    specification: Specification
    endpoint: str

    @property
    def name(self) -> str:
        """With a hash of the definition, so that a listing of models tells whether one has changed."""
        digest = hashlib.sha256(self._definition.encode()).hexdigest()[:8]
        return f"{self.specification.portfolio}_{digest}"

    @property
    def features(self) -> tuple[str, ...]:
        """The function's arguments, in order."""
        return tuple(sorted(f.name for f in self.specification.features))

    def call(self) -> str:
        """The function called on columns that have the features' names."""
        return f"{SCHEMA}.{self.specification.sql_function}({', '.join(self.features)})"

    def create(self) -> str:
        """The CREATE MODEL."""
        return f"CREATE MODEL {_qualified(self.name)} {self._definition}"

    def grants(self) -> list[str]:
        return [f"GRANT EXECUTE ON MODEL {_qualified(self.name)} TO ROLE {role}" for role in PEOPLE]

    @property
    def _definition(self) -> str:
        kinds = ", ".join(_TYPES[self.specification.feature(name).kind] for name in self.features)
        return (
            f"FUNCTION {sql.identifier(self.specification.sql_function)} ({kinds}) RETURNS FLOAT8 "
            f"SAGEMAKER {sql.literal(self.endpoint)} IAM_ROLE default SETTINGS (MAX_BATCH_ROWS {ROWS_A_REQUEST})"
        )


def make(api: DataApi, model: SqlModel) -> str:
    """Make the function, if it is missing or its definition has changed, and grant it; returns what was done.

    Each statement on its own: AWS does not say whether CREATE MODEL may be part of a transaction. What failed half-way
    is finished by the next call. Raises DataApiError.
    """
    ours = re.compile(rf"{re.escape(model.specification.portfolio)}_[0-9a-f]{{8}}")
    listed = api.query("SHOW MODEL ALL").rows
    there = [str(name) for schema, name in listed if schema == SCHEMA and ours.fullmatch(str(name))]
    if model.name not in there:
        for old in there:
            api.execute(f"DROP MODEL {_qualified(old)}")
        api.execute(model.create())
    for grant in model.grants():
        api.execute(grant)
    done = "is as it was" if model.name in there else "was made"
    return f"{SCHEMA}.{model.specification.sql_function} {done}"


def _qualified(name: str) -> str:
    return f"{SCHEMA}.{sql.identifier(name)}"
