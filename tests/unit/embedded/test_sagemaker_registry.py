"""The registry counts versions, keeps decisions, and refuses what AWS refuses."""

from collections.abc import Iterator

import pytest

pytest.importorskip("ministack")
from embedded_aws.sagemaker import registry, store
from embedded_aws.service import ApiError

SPECIFICATION = {"Containers": [{"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}]}


@pytest.fixture(autouse=True)
def group() -> Iterator[None]:
    for records in store.state.values():
        records.clear()
    registry.create_group({"ModelPackageGroupName": "lending"})
    yield
    for records in store.state.values():
        records.clear()


def register(**more: object) -> str:
    request = {"ModelPackageGroupName": "lending", "InferenceSpecification": SPECIFICATION, **more}
    return str(registry.create(request)["ModelPackageArn"])


@pytest.mark.contract(
    "sagemaker.model-versions",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-version.html",
    says="Versions of a model group count upwards from 1.",
)
def test_versions_count_from_one_and_are_never_used_again() -> None:
    first, second = register(), register()
    assert first.endswith(":model-package/lending/1")
    registry.delete({"ModelPackageName": second})
    assert register().endswith("/3")


@pytest.mark.contract(
    "sagemaker.approval",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html",
    quote="Whether the model is approved for deployment.",
)
def test_a_version_waits_for_approval_unless_it_comes_approved() -> None:
    arn = register(CustomerMetadataProperties={"auc": "0.78"})
    assert registry.describe({"ModelPackageName": arn})["ModelApprovalStatus"] == "PendingManualApproval"
    registry.update(
        {"ModelPackageArn": arn, "ModelApprovalStatus": "Approved", "CustomerMetadataProperties": {"by": "me"}}
    )
    found = registry.describe({"ModelPackageName": arn})
    assert (found["ModelApprovalStatus"], found["ModelPackageVersion"]) == ("Approved", 1)
    assert found["CustomerMetadataProperties"] == {"auc": "0.78", "by": "me"}


@pytest.mark.contract(
    "sagemaker.client-token",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html",
    quote="A unique token that guarantees that the call to this API is idempotent.",
)
def test_the_same_client_token_registers_once() -> None:
    assert register(ClientToken="a") == register(ClientToken="a") != register(ClientToken="b")


def test_lists_are_newest_first_and_by_decision() -> None:
    register(ModelApprovalStatus="Approved")
    register()
    found = registry.list_packages({"ModelPackageGroupName": "lending"})["ModelPackageSummaryList"]
    assert [p["ModelPackageVersion"] for p in found] == [2, 1]
    approved = registry.list_packages({"ModelApprovalStatus": "Approved"})["ModelPackageSummaryList"]
    assert [p["ModelPackageVersion"] for p in approved] == [1]
    page = registry.list_packages({"MaxResults": 1})
    assert (
        registry.list_packages({"MaxResults": 1, "NextToken": page["NextToken"]})["ModelPackageSummaryList"]
        == found[1:]
    )


@pytest.mark.contract(
    "sagemaker.group-not-empty",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-delete-model-group.html",
    says="A model group that holds versions cannot be deleted.",
)
def test_a_group_with_versions_is_not_deleted() -> None:
    arn = register()
    with pytest.raises(ApiError) as error:
        registry.delete_group({"ModelPackageGroupName": "lending"})
    assert error.value.code == "ConflictException"
    registry.delete({"ModelPackageName": arn})
    registry.delete_group({"ModelPackageGroupName": "lending"})
    with pytest.raises(ApiError, match="does not exist"):
        registry.describe_group({"ModelPackageGroupName": "lending"})
