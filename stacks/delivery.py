"""Who may deploy from a pipeline: an OIDC provider and a role per environment, so that no long-lived key exists.

A small app of its own, deployed once per account by a person: `-c delivery=github -c repository=OWNER/NAME`.
docs/delivery.md says how. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
"""

from abc import abstractmethod
from typing import Annotated, Any, Self

from aws_cdk import Aws, CfnOutput, Duration, Environment, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct, Node
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from stacks import config

READER = "read"  # the role of pull requests
# The roles of `cdk bootstrap` that a deployment assumes. What CloudFormation itself may do is the business of a fourth.
DEPLOYER_ROLES = ("deploy", "file-publishing", "lookup")
READER_ROLES = ("lookup",)

Names = Annotated[tuple[str, ...], BeforeValidator(lambda v: v.split(",") if isinstance(v, str) else v)]
Uuid = Annotated[str, Field(pattern=r"^\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}$")]


class Identity(BaseModel):
    """What the tokens of a pipeline say: who issues them, for whom (`aud`), and in which job (`sub`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    environments: Names = ("dev", "prod")
    provider: Annotated[str, Field(pattern="^(new|existing)$")] = "new"

    @property
    @abstractmethod
    def issuer(self) -> str:
        """Without the scheme, as IAM writes it in condition keys."""

    @property
    @abstractmethod
    def audience(self) -> str:
        """For whom a token must have been made, its `aud`."""

    @abstractmethod
    def trust(self, role: str) -> dict[str, Any]:
        """The conditions under which a token gets the role of an environment, or the reader's."""


class GitHub(Identity):
    """`repository` as the subject of its tokens names it.

    OWNER/NAME; with the ids (OWNER-123/NAME-456) where the repository was made or renamed after June 18, 2026.
    https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens
    """

    repository: str = Field(pattern=r"^[\w.@-]+/[\w.@-]+$")

    @property
    def issuer(self) -> str:
        return "token.actions.githubusercontent.com"

    @property
    def audience(self) -> str:
        return "sts.amazonaws.com"

    def trust(self, role: str) -> dict[str, Any]:
        job = "pull_request" if role == READER else f"environment:{role}"
        return {
            "StringEquals": {
                f"{self.issuer}:aud": self.audience,
                f"{self.issuer}:sub": f"repo:{self.repository}:{job}",
            }
        }


class Bitbucket(Identity):
    """Workspace and ids as Repository settings > OpenID Connect and > Deployments show them, in braces."""

    workspace: str = Field(pattern=r"^[\w-]+$")
    workspace_id: Uuid
    repository_id: Uuid
    deployments: Annotated[tuple[Uuid, ...], BeforeValidator(lambda v: v.split(",") if isinstance(v, str) else v)]

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if len(self.deployments) != len(self.environments):
            raise ValueError(f"deployments: give the id of each of {', '.join(self.environments)}, in this order")
        return self

    @property
    def issuer(self) -> str:
        return f"api.bitbucket.org/2.0/workspaces/{self.workspace}/pipelines-config/identity/oidc"

    @property
    def audience(self) -> str:
        return f"ari:cloud:bitbucket::workspace/{self.workspace_id.strip('{}')}"

    def trust(self, role: str) -> dict[str, Any]:
        ids = dict(zip(self.environments, self.deployments, strict=True))
        job = self.repository_id if role == READER else f"{self.repository_id}:{ids[role]}"
        return {
            "StringEquals": {f"{self.issuer}:aud": self.audience},
            # The subject ends with the step's id, new in each run. Nothing else is left open.
            "StringLike": {f"{self.issuer}:sub": f"{job}:*"},
        }


KINDS: dict[str, type[Identity]] = {"github": GitHub, "bitbucket": Bitbucket}


def identity(node: Node) -> Identity:
    """What the context says (`-c key=value`); raises ConfigurationError that names key and cause."""
    kind = KINDS.get(str(node.try_get_context("delivery")))
    if kind is None:
        raise config.ConfigurationError(f"-c delivery is {' or '.join(KINDS)}. Nothing was synthesized.")
    given = {name: node.try_get_context(name) for name in kind.model_fields}
    try:
        found = kind.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        lines = ["-c " + ".".join(map(str, item["loc"])) + ": " + item["msg"] for item in error.errors()]
        raise config.ConfigurationError("\n  ".join(["The delivery stack was not synthesized.", *lines])) from error
    for environment in found.environments:
        config.load(environment)
    return found


class DeliveryStack(Stack):
    """The provider, a role per environment that may deploy, and one for pull requests that may look."""

    def __init__(self, scope: Construct, *, identity: Identity) -> None:
        self.identity = identity
        self.regions = {name: config.load(name).region for name in identity.environments}
        super().__init__(
            scope,
            "Solvent-Delivery",
            env=Environment(region=self.regions[identity.environments[0]]),
            description="Solvent: what its pipeline may do in this account",
            termination_protection=True,
        )
        self.provider = f"arn:aws:iam::{Aws.ACCOUNT_ID}:oidc-provider/{identity.issuer}"
        if identity.provider == "new":
            # Without thumbprints: IAM trusts the certificate authorities of both issuers by itself.
            self.provider = iam.CfnOIDCProvider(
                self, "Provider", url=f"https://{identity.issuer}", client_id_list=[identity.audience]
            ).attr_arn
        for environment, region in self.regions.items():
            self._role(environment, DEPLOYER_ROLES, {region}, f"Deploys {environment} from the pipeline")
        self._role(READER, READER_ROLES, set(self.regions.values()), "Shows a pull request what it would change")

    def _role(self, name: str, assumed: tuple[str, ...], regions: set[str], description: str) -> None:
        role = iam.Role(
            self,
            name.capitalize(),
            role_name=f"solvent-delivery-{name}",
            description=description,
            assumed_by=iam.WebIdentityPrincipal(self.provider, self.identity.trust(name)),
            max_session_duration=Duration.hours(1),
        )
        bootstrap = f"arn:aws:iam::{Aws.ACCOUNT_ID}:role/cdk-{self.synthesizer.bootstrap_qualifier}"
        targets = [
            f"{bootstrap}-{part}-role-{Aws.ACCOUNT_ID}-{region}" for region in sorted(regions) for part in assumed
        ]
        role.add_to_policy(iam.PolicyStatement(actions=["sts:AssumeRole"], resources=targets))
        CfnOutput(self, f"{name.capitalize()}Role", value=role.role_arn, description=description)
