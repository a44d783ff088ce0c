"""Waiting for a role's policy. A reference makes CloudFormation wait for the role only, which may do nothing yet."""

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def policy_of(role: iam.Role) -> IConstruct:
    """The policy that `allow` has written to; to be waited for instead of the role with all that is below it."""
    return role.node.find_child("DefaultPolicy")


def wait_only_for_policy(construct: IConstruct, role: iam.Role) -> None:
    """CDK lets functions and state machines wait for policy and role; cfn-lint finds the second one twice (W3005)."""
    resource = construct if isinstance(construct, CfnResource) else construct.node.default_child
    policy = policy_of(role).node.default_child
    assert isinstance(resource, CfnResource) and isinstance(policy, CfnResource)
    resource.add_override("DependsOn", [policy.logical_id])
