"""The property table is complete for our templates and renders into the document."""

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


def test_an_ignored_property_passes_and_has_a_reason() -> None:
    properties.check("AWS::Lambda::Function", {"VpcConfig": {}})
    assert all(len(reason) > 10 for entry in properties.table().values() for reason in entry.ignored.values())


def test_the_table_replaces_what_stands_between_its_marks() -> None:
    marks = [f"<!-- {name}: begin (make docs) -->\nold\n<!-- {name}: end -->" for name in table.SECTIONS]
    document = "\n".join(["before", *marks, "after"])
    rendered = table.rendered(document)
    assert rendered.startswith("before") and rendered.endswith("after") and "\nold\n" not in rendered
    assert "| `AWS::S3::Bucket` | runs |" in rendered
    with pytest.raises(ValueError, match="marks"):
        table.rendered("no marks")
