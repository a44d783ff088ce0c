"""checkov on the templates, less the findings that `gates/templates/checkov.yaml` explains resource by resource."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gates.assembly import ENVIRONMENTS, ROOT, Assembly
from gates.outcome import SHORTEST_REASON, Finding, Outcome

TOOL = ROOT / ".venv-checkov" / "bin" / "checkov"
ALLOWED = Path(__file__).parent / "checkov.yaml"
Results = dict[str, list[Any]]  # passed_checks, failed_checks, skipped_checks, parsing_errors


class NotRun(Exception):
    """checkov is not there, or gave no report."""


class Entry(BaseModel):
    """One accepted check: why, and on which resources (construct paths below `Solvent-<environment>-`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: str
    reason: str = Field(min_length=SHORTEST_REASON)
    resources: tuple[str, ...] = Field(min_length=1)
    environments: tuple[str, ...] = ENVIRONMENTS


def check(assembly: Assembly) -> Outcome:
    """Every failed check that is not explained, and every explanation that explains nothing."""
    try:
        results, allowed = scan(assembly), set(_allowed(assembly.environment))
    except NotRun as error:
        return Outcome("nothing", [Finding("not-run", "checkov", str(error))])
    except ValidationError as error:
        return Outcome("nothing", [Finding("unreadable-entry", ALLOWED.name, str(error))])
    unread = [Finding("unreadable-template", Path(name).name) for name in results["parsing_errors"]]
    # A template may ask checkov to skip a check; here only the allow-list may.
    failed = [_finding(result) for result in results["failed_checks"] + results["skipped_checks"]]
    found = {finding: (finding.rule, _resource(assembly, finding)) for finding in failed}
    unexplained = [finding for finding, key in found.items() if key not in allowed]
    stale = [
        Finding("stale-entry", f"{rule} {resource}", f"{ALLOWED.name} explains what checkov does not find")
        for rule, resource in allowed - set(found.values())
    ]
    passed, explained = len(results["passed_checks"]), len(found) - len(unexplained)
    return Outcome(f"{passed} checks passed, {explained} failed with a reason", sorted([*unread, *unexplained, *stale]))


def scan(assembly: Assembly) -> Results:
    """What checkov says of the templates, without a network. Raises NotRun."""
    if not TOOL.exists():
        raise NotRun("it is not installed: run `make setup-dev`")
    command = [str(TOOL), "--skip-download", "--framework", "cloudformation", "--compact", "--output", "json", "--file"]
    run = subprocess.run([*command, *map(str, assembly.paths)], capture_output=True, text=True, check=False)
    try:
        results: Results = json.loads(run.stdout)["results"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise NotRun((run.stdout + run.stderr)[-500:]) from error
    return results


def _allowed(environment: str) -> Iterator[tuple[str, str]]:
    """`(check, resource)` of every entry for this environment; raises ValidationError, as for one without a reason."""
    for entry in TypeAdapter(list[Entry]).validate_python(yaml.safe_load(ALLOWED.read_text())):
        if environment in entry.environments:
            for resource in entry.resources:
                yield entry.check, resource


def _finding(result: dict[str, str]) -> Finding:
    template, logical_id = Path(result["file_path"]).name, result["resource"].rpartition(".")[2]
    return Finding(result["check_id"], f"{template}/{logical_id}", result["check_name"])


def _resource(assembly: Assembly, finding: Finding) -> str:
    path = assembly.construct_path(finding.where).removesuffix("/Resource") or finding.where
    return assembly.part(path)
