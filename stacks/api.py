"""The REST API: an HTTP API in front of one function. Health is open, scoring wants an IAM signature (AWS_IAM)."""

from aws_cdk import CfnOutput
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from solvent import __version__, naming
from stacks.config import Config
from stacks.constructs.base import SolventStack
from stacks.constructs.function import Function
from stacks.constructs.log_group import LogGroup
from stacks.constructs.permissions import acknowledge, allow
from stacks.lake import LakeStack
from stacks.network import NetworkStack

ACCESS_LOG = (
    '{"requestId":"$context.requestId","time":"$context.requestTime","route":"$context.routeKey",'
    '"status":"$context.status","latency":"$context.responseLatency","caller":"$context.identity.caller",'
    '"error":"$context.error.message"}'
)


class ApiStack(SolventStack):
    def __init__(self, scope: Construct, *, config: Config, lake: LakeStack, network: NetworkStack) -> None:
        super().__init__(scope, "Api", config=config, description="REST API: health and score")
        self.function = Function(
            self,
            "Function",
            name="api",
            description="GET /v1/health, POST /v1/score",
            key=lake.key,
            network=network,
            no_dead_letters="the HTTP API calls it and waits: the caller gets the error",
            environment={"VERSION": __version__},
            timeout_seconds=29,  # the HTTP API waits 30
        )
        allow(
            self.function.own_role,
            "sagemaker:InvokeEndpoint",
            on=[self.arn("sagemaker", f"endpoint/{self.names.endpoint(portfolio)}") for portfolio in naming.PORTFOLIOS],
        )
        self.api = apigateway.CfnApi(
            self, "Api", name=self.names.api, protocol_type="HTTP", description="Solvent: health and score"
        )
        integration = apigateway.CfnIntegration(
            self,
            "Integration",
            api_id=self.api.ref,
            integration_type="AWS_PROXY",
            integration_uri=self.function.function_arn,
            payload_format_version="2.0",
        )
        health = self._route("Health", "GET /v1/health", integration, authorization="NONE")
        acknowledge(
            health,
            "AwsSolutions-APIG4",
            "a load balancer's or monitor's health check has no credentials; it reveals nothing",
        )
        self._route("Score", "POST /v1/score", integration, authorization="AWS_IAM")
        self._stage(lake)
        self._caller_policy()
        lambda_.CfnPermission(
            self,
            "Permission",
            action="lambda:InvokeFunction",
            function_name=self.function.function_name,
            principal="apigateway.amazonaws.com",
            source_arn=self.arn("execute-api", f"{self.api.ref}/*/*/v1/*"),
        )
        CfnOutput(
            self,
            "Url",
            value=f"https://{self.api.ref}.execute-api.{config.region}.amazonaws.com",
            description="REST API",
        )

    def _route(
        self, name: str, key: str, integration: apigateway.CfnIntegration, *, authorization: str
    ) -> apigateway.CfnRoute:
        return apigateway.CfnRoute(
            self,
            name,
            api_id=self.api.ref,
            route_key=key,
            target=f"integrations/{integration.ref}",
            authorization_type=authorization,
        )

    def _caller_policy(self) -> None:
        """For the roles of applications: `POST /v1/score` and nothing else."""
        iam.ManagedPolicy(
            self,
            "ScoreCaller",
            managed_policy_name=self.names.named("score-caller"),
            description=f"POST /v1/score of {self.names.api}",
            statements=[
                iam.PolicyStatement(
                    actions=["execute-api:Invoke"],
                    resources=[self.arn("execute-api", f"{self.api.ref}/$default/POST/v1/score")],
                )
            ],
        )

    def _stage(self, lake: LakeStack) -> None:
        access = LogGroup(self, "AccessLogs", name=f"/aws/vendedlogs/{self.names.prefix}/api", key=lake.key)
        apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=access.log_group_arn, format=ACCESS_LOG
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_burst_limit=self.config.api.burst,
                throttling_rate_limit=self.config.api.requests_per_second,
                detailed_metrics_enabled=True,
            ),
        )
