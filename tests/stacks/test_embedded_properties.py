"""Every resource type and property of both assemblies has its level in the table that the embedded AWS obeys."""

from embedded_aws.cloudformation import properties
from gates.assembly import Assembly

_OUR_OWN = ("Custom::EndpointCleanup", "Custom::WarehouseMigrations")  # their properties are the function's business


def test_every_property_of_our_templates_has_its_level(assembly: Assembly) -> None:
    unknown = set()
    for template in assembly.templates.values():
        for resource in template["Resources"].values():
            kind = resource["Type"]
            if kind not in _OUR_OWN:
                entry = properties.table().get(kind)
                known = entry.accepted if entry else frozenset()
                helper = entry is not None and entry.level == "helper"
                unknown |= (
                    set() if helper else {(kind, name) for name in resource.get("Properties", {}) if name not in known}
                )
    assert unknown == set()
