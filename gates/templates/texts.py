"""The texts of a template as a document that cfn-guard can search: its language has no way to say "at any depth".

`{"Resources": {"<logical id>": {"Type": "Solvent::Texts", "Properties": {"Texts": ["<one to a line>"]}}}}`; for an
output that is written out, and no reference, `Output` is its name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gates.assembly import Template, plain

_READ = ("Parameters", "Mappings", "Resources", "Outputs")
_FOR_PEOPLE = ("Metadata", "Description")  # construct paths and reasons; descriptions


def template(read: Template) -> dict[str, Any]:
    """The texts of one template, by logical id; what Fn::Join joins is one text, with references resolved."""
    found = {}
    for part in _READ:
        for logical_id, value in read.get(part, {}).items():
            # One to a line: cfn-guard takes ten times longer over a list of them.
            properties: dict[str, Any] = {"Texts": ["\n".join(_texts(value))]}
            if part == "Outputs" and isinstance(value["Value"], str):
                properties["Output"] = logical_id
            where = (
                f"Outputs.{logical_id}" if part == "Outputs" else logical_id
            )  # an output may be called as a resource is
            found[where] = {"Type": "Solvent::Texts", "Properties": properties}
    return {"Resources": found}


def _texts(value: Any) -> Iterator[str]:
    value = plain(value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _FOR_PEOPLE:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
