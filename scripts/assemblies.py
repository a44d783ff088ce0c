"""Reading what `make synth` wrote: templates, state-machine definitions, validation reports."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ("dev", "prod")
Template = Mapping[str, Any]


def folder(environment: str) -> Path:
    """The assembly of an environment; raises FileNotFoundError that says how to make it."""
    path = ROOT / "cdk.out" / environment
    if not (path / "manifest.json").exists():
        raise FileNotFoundError(f"There is no assembly in cdk.out/{environment}. Write it with `make synth`.")
    return path


def templates(assembly: Path) -> dict[str, Template]:
    """File name -> template."""
    return {path.name: json.loads(path.read_text()) for path in sorted(assembly.glob("*.template.json"))}


def resources(assembly: Path, kind: str | None = None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """`(<template>/<logical id>, resource)`, of one type where `kind` names it."""
    for name, template in templates(assembly).items():
        for logical_id, resource in template["Resources"].items():
            if kind in (None, resource["Type"]):
                yield f"{name}/{logical_id}", resource


def definitions(assembly: Path) -> dict[str, dict[str, Any]]:
    """State machine -> definition, with references replaced by ARNs of the right form."""
    machines = resources(assembly, "AWS::StepFunctions::StateMachine")
    return {
        resource["Properties"]["StateMachineName"]: json.loads(flat(resource["Properties"]["DefinitionString"]))
        for _, resource in machines
    }


def flat(value: Any) -> str:
    """A string with its references resolved: account 111111111111, else an ARN that names what is referred to."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(flat(part) for part in parts)
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"]).replace("${AWS::AccountId}", "111111111111")
    if value.get("Ref") == "AWS::AccountId":
        return "111111111111"
    name = (
        "-".join(str(part) for part in next(iter(value.values())))
        if not isinstance(value.get("Ref"), str)
        else value["Ref"]
    )
    return "arn:aws:reference:eu-west-1:111111111111:" + "".join(c for c in name if c.isalnum() or c == "-")


def plain(value: Any) -> Any:
    """`flat` for what is a string or a reference; anything else as it is."""
    is_reference = isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("Fn::Join", "Fn::Sub", "Ref")
    return flat(value) if is_reference else value
