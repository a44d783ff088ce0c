"""The property table is complete for our templates and renders into the document."""

import re
from pathlib import Path

import pytest

from embedded_aws import table
from embedded_aws.cloudformation import properties


def test_the_file_is_consistent() -> None:
    assert len(properties.table()) > 50


def test_an_unknown_type_names_the_file() -> None:
    with pytest.raises(properties.PropertyError, match=r"AWS::Mars::Rover.*properties\.yaml"):
        properties.check("AWS::Mars::Rover", {})


def test_an_unknown_property_names_type_property_and_file() -> None:
    with pytest.raises(properties.PropertyError, match=r"AWS::SQS::Queue.*Colour.*properties\.yaml"):
        properties.check("AWS::SQS::Queue", {"QueueName": "q", "Colour": "red"})


def test_a_property_without_effect_passes_and_has_a_reason() -> None:
    properties.check("AWS::Lambda::Function", {"VpcConfig": {}})
    properties.check("AWS::S3::Bucket", {"LifecycleConfiguration": {}})
    for entry in properties.table().values():
        for name, reason in {**entry.recorded, **entry.ignored}.items():
            assert len(reason) >= 9, f"{entry.name}: {name}"


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ("level: fine\n  note: n", "level 'fine'"),
        ("level: executed\n  note: n\n  applied: [A]\n  recorded: {A: described}", "A"),
        ("level: executed\n  note: n\n  applied: [A]\n  recorded: {B.C: described}", "B.C"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(
    entry: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "properties.yaml"
    path.write_text(f"AWS::X::Y:\n  {entry}\n")
    monkeypatch.setattr(properties, "TABLE", path)
    with pytest.raises(ValueError, match=wrong):
        properties.table.__wrapped__()


def test_each_property_has_one_level_in_the_row_of_its_type() -> None:
    rows = {row.name: row for row in table.rows()}
    bucket = rows["AWS::S3::Bucket"]
    assert "`VersioningConfiguration`" in bucket.executed
    assert "`LifecycleConfiguration`: stored, never run" in bucket.accepted_only
    assert "`ReplicationConfiguration`" in bucket.refused
    network = rows["AWS::EC2::VPC"]
    assert (network.executed, network.refused) == ("", "`Ipv4IpamPoolId`, `Ipv4NetmaskLength`")
    for row in rows.values():
        levels = [set(re.findall(r"`(\w+)`", text)) for text in (row.executed, row.accepted_only, row.refused)]
        assert sum(map(len, levels)) == len(set.union(*levels)), row.name


def test_the_table_replaces_what_stands_between_its_marks() -> None:
    marks = [f"<!-- {name}: begin (make docs) -->\nold\n<!-- {name}: end -->" for name in table.SECTIONS]
    document = "\n".join(["before", *marks, "after"])
    rendered = table.rendered(document)
    assert rendered.startswith("before") and rendered.endswith("after") and "\nold\n" not in rendered
    assert "| `AWS::S3::Bucket` | Objects, versions," in rendered
    assert "### Step Functions\n\n| AWS | test |" in rendered
    with pytest.raises(ValueError, match="marks"):
        table.rendered("no marks")
