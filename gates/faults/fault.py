"""A fault: what is changed where, and which gate must name it."""

import json
from dataclasses import dataclass
from pathlib import Path

from gates.assembly import Assembly
from gates.faults.changes import Change, Json, NoTarget


@dataclass(frozen=True)
class Fault:
    """`name` says what is wrong. `target` is a stack and a construct path in it (`Warehouse/Workgroup`), or a stack.

    `caught_by` is the gate and the rule that must name it (`cfn-guard WAREHOUSE_IS_PRIVATE`); others may, too.
    """

    name: str
    target: str
    change: Change
    caught_by: str
    environment: str = "prod"

    @property
    def gate(self) -> str:
        """The gate that must name it."""
        return self.caught_by.partition(" ")[0]

    @property
    def rule(self) -> str:
        """The rule of the gate that must name it."""
        return self.caught_by.partition(" ")[2]

    @property
    def template(self) -> str:
        """The file name of the damaged template."""
        return f"Solvent-{self.environment}-{self.target.partition('/')[0]}.template.json"

    def seeded(self, clean: Assembly) -> Json:
        """The damaged template. Raises NoTarget when the fault finds nothing to change, or changes nothing."""
        path = clean.folder / self.template
        if not path.exists():
            raise NoTarget(f"{self.name}: there is no {self.template}")
        template: Json = json.loads(path.read_text())
        before = json.dumps(template)
        try:
            self.change(self._target(template))
        except NoTarget as error:
            raise NoTarget(f"{self.name}: {error}, in {self.target} of {self.environment}") from None
        if json.dumps(template) == before:
            raise NoTarget(f"{self.name}: {self.target} of {self.environment} is so already")
        return template

    def _target(self, template: Json) -> Json:
        stack, _, construct = self.target.partition("/")
        if not construct:
            return template
        path = f"Solvent-{self.environment}-{stack}/{construct}"
        found: list[Json] = [
            resource
            for resource in template["Resources"].values()
            if resource.get("Metadata", {}).get("aws:cdk:path") in (path, f"{path}/Resource")
        ]
        if len(found) != 1:
            raise NoTarget(f"{len(found)} resources are at {path}")
        return found[0]


def copy(clean: Assembly, fault: Fault, folder: Path) -> Assembly:
    """An assembly that differs in the one template that the fault damages; the others are links."""
    folder.mkdir()
    for path in clean.folder.iterdir():
        if path.name != fault.template and path.suffix == ".json":
            (folder / path.name).symlink_to(path.resolve())
    # As the CDK writes it: one line for each value.
    (folder / fault.template).write_text(json.dumps(fault.seeded(clean), indent=1))
    return Assembly(fault.environment, folder)
