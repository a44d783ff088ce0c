"""Who sees the customers of which regions, where the option `row_level_security` is on."""

from collections.abc import Collection, Mapping

from solvent.naming import Names
from solvent.warehouse import statements as sql
from solvent.warehouse.data_api import DataApi

OPTION = "row_level_security"  # sql/warehouse/options


def apply(api: DataApi, wanted: Mapping[str, Collection[str]], names: Names) -> None:
    """Write `ops.regions_of_users` anew, in one transaction: group of analysts -> regions. Raises DataApiError.

    A group is an IAM role (`Names.regional`), by whose name the warehouse knows whoever assumes it.
    """
    rows = [(f"IAMR:{names.regional(group)}", region) for group, regions in wanted.items() for region in regions]
    values = ", ".join(f"({sql.literal(user)}, {sql.literal(region)})" for user, region in rows)
    api.batch(["DELETE FROM ops.regions_of_users", f"INSERT INTO ops.regions_of_users VALUES {values}"])  # noqa: S608
