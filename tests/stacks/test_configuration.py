"""A wrong configuration is refused before anything is synthesized, with the file, the key and the cause."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import config

ENVIRONMENTS = ("dev", "prod")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_committed_configurations_are_valid(environment: str) -> None:
    assert config.load(environment).environment == environment


def test_every_environment_has_the_same_keys() -> None:
    """A key that only one environment sets is a difference in kind, not in configuration."""
    optional = {("serving", "canary_percent")}
    keys = [_keys(yaml.safe_load((config.DIRECTORY / f"{name}.yaml").read_text())) - optional for name in ENVIRONMENTS]
    assert keys[0] == keys[1]


def _keys(tree: dict[str, Any], above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for key, value in tree.items():
        section = isinstance(value, dict) and key != "row_level_security"  # whose keys are names
        found |= _keys(value, (*above, key)) if section else {(*above, key)}
    return found


@pytest.mark.parametrize(
    ("environment", "path", "value", "said"),
    [
        ("dev", "warehouse.base_capacity", 12, "multiple of 8"),
        ("dev", "warehouse.maximum_capacity", 2, "greater than or equal to 4"),
        ("dev", "warehouse.query_timeout_second", 9, "Extra inputs"),
        ("dev", "warehouse.row_level_security", {"North": ["North"]}, "row_level_security"),
        ("dev", "warehouse.row_level_security", {"north": []}, "row_level_security"),
        ("dev", "availability_zones", ["eu-west-1a", "eu-west-1a", "eu-west-1b"], "three different zones"),
        ("dev", "availability_zones", ["eu-west-1a", "eu-west-1b"], "availability_zones"),
        ("dev", "availability_zones", ["us-east-1a", "eu-west-1b", "eu-west-1c"], "not in region"),
        ("dev", "network.interface_endpoints", ["logs"], "serve nobody"),
        ("prod", "network.interface_endpoints", [], "no other way"),
        ("dev", "stream.maximum_record_age_minutes", 2000, "retention_hours"),
        ("dev", "serving.canary_percent", 10, "rollout: canary"),
        ("prod", "serving.instances", 1, "two or more instances"),
        ("prod", "serving.canary_percent", 60, "less than or equal to 50"),
        ("prod", "warehouse.snapshot_on_delete", False, "no data may be lost"),
        ("dev", "orchestration.endpoint_poll_seconds", 1, "25,000"),
        ("dev", "orchestration.approval_poll_seconds", 5, "train could write"),
        ("prod", "orchestration.timeout_hours", 12, "timeout_hours"),
        ("prod", "extraction.private", False, "set extraction.private to true"),
        ("dev", "extraction.private", True, "say the cidr of core"),
        ("dev", "extraction.databases", [{"name": "core", "url": "postgresql+pg8000://u:p@h/d"}], "holds a password"),
        ("dev", "extraction.databases", [{"name": "core", "url": "oracle://h/d"}], "no database that can be read"),
        ("dev", "extraction.databases", [{"name": "db2", "url": "db2+ibm_db://h/d"}], "name them in wheels"),
        ("dev", "extraction.databases", [{"name": "a", "url": "mysql+pymysql://"}] * 2, "same name"),
        ("dev", "log_retention_days", 17, "log_retention_days"),
        ("dev", "alarm_email", "nobody", "alarm_email"),
    ],
)
def test_a_wrong_value_is_refused(tmp_path: Path, environment: str, path: str, value: Any, said: str) -> None:
    content = yaml.safe_load((config.DIRECTORY / f"{environment}.yaml").read_text())
    *above, key = path.split(".")
    section = content
    for name in above:
        section = section[name]
    section[key] = value
    (tmp_path / f"{environment}.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(config.ConfigurationError, match=f"(?s)config/{environment}.yaml.*{said}"):
        config.load(environment, tmp_path)


def test_an_unknown_environment_says_which_there_are() -> None:
    with pytest.raises(config.ConfigurationError, match="config/ has: dev, prod"):
        config.load("production")


def test_a_configuration_cannot_be_changed_after_it_was_checked() -> None:
    with pytest.raises(ValueError, match="frozen"):
        config.load("dev").removable = False  # type: ignore[misc]
