"""Resource types that ministack's services can do but its CloudFormation cannot: made by calling the API."""

import json
from typing import Any

from embedded_aws import service
from embedded_aws.cloudformation import handlers
from embedded_aws.cloudformation.handlers import Properties, physical_name


def register() -> None:
    """Flow logs, security group rules, composite alarms, Glue security configurations, NAT gateways, budgets..."""
    handlers.register("AWS::Budgets::Budget", _budget, _delete_budget)
    handlers.register("AWS::Logs::QueryDefinition", lambda i, p, s: (physical_name(s, i), {}), lambda *_: None)
    handlers.register("AWS::Glue::DataQualityRuleset", lambda _, p, __: (p["Name"], {}), lambda *_: None)
    handlers.register("AWS::IAM::OIDCProvider", _oidc_provider, lambda *_: None)
    handlers.register("AWS::EC2::FlowLog", _flow_log, _delete_flow_log)
    handlers.register("AWS::EC2::SecurityGroupIngress", _rule("ingress"), _revoke("ingress"))
    handlers.register("AWS::EC2::SecurityGroupEgress", _rule("egress"), _revoke("egress"))
    handlers.register("AWS::EC2::EIP", _address, _release)
    handlers.register("AWS::EC2::NatGateway", _nat_gateway, _delete_nat_gateway)
    handlers.register("AWS::CloudWatch::CompositeAlarm", _composite_alarm, _delete_composite_alarm, _update_composite)
    handlers.register("AWS::Glue::SecurityConfiguration", _security_configuration, _delete_security_configuration)


def _oidc_provider(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    arn = f"arn:aws:iam::{service.account()}:oidc-provider/{p['Url'].removeprefix('https://')}"
    return arn, {"Arn": arn}


def _flow_log(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    ec2 = service.operator_client("ec2")
    request: dict[str, Any] = {
        "ResourceIds": [p["ResourceId"]],
        "ResourceType": p["ResourceType"],
        "TrafficType": p.get("TrafficType", "ALL"),
        "LogDestinationType": p.get("LogDestinationType", "cloud-watch-logs"),
    }
    if "LogGroupName" in p:
        request["LogGroupName"] = p["LogGroupName"]
    if "LogDestination" in p:
        request["LogDestination"] = p["LogDestination"]
    if "DeliverLogsPermissionArn" in p:
        request["DeliverLogsPermissionArn"] = p["DeliverLogsPermissionArn"]
    if "MaxAggregationInterval" in p:
        request["MaxAggregationInterval"] = int(p["MaxAggregationInterval"])
    identifier = ec2.create_flow_logs(**request)["FlowLogIds"][0]
    return identifier, {"Id": identifier}


def _delete_flow_log(physical_id: str, p: Properties) -> None:
    service.operator_client("ec2").delete_flow_logs(FlowLogIds=[physical_id])


def _permission(p: Properties) -> dict[str, Any]:
    rule: dict[str, Any] = {"IpProtocol": str(p["IpProtocol"])}
    if "FromPort" in p:
        rule |= {"FromPort": int(p["FromPort"]), "ToPort": int(p["ToPort"])}
    note = {"Description": p["Description"]} if "Description" in p else {}
    if "CidrIp" in p:
        rule["IpRanges"] = [{"CidrIp": p["CidrIp"], **note}]
    other = p.get("SourceSecurityGroupId") or p.get("DestinationSecurityGroupId")
    if other:
        rule["UserIdGroupPairs"] = [{"GroupId": other, **note}]
    lists = p.get("SourcePrefixListId") or p.get("DestinationPrefixListId")
    if lists:
        rule["PrefixListIds"] = [{"PrefixListId": lists, **note}]
    return rule


def _rule(direction: str) -> handlers.Create:
    def create(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        authorize = getattr(service.operator_client("ec2"), f"authorize_security_group_{direction}")
        authorize(GroupId=p["GroupId"], IpPermissions=[_permission(p)])
        identifier = physical_name(stack, logical_id)
        return identifier, {"Id": identifier}

    return create


def _revoke(direction: str) -> handlers.Delete:
    def delete(physical_id: str, p: Properties) -> None:
        revoke = getattr(service.operator_client("ec2"), f"revoke_security_group_{direction}")
        revoke(GroupId=p["GroupId"], IpPermissions=[_permission(p)])

    return delete


def _address(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    made = service.operator_client("ec2").allocate_address(Domain=p.get("Domain", "vpc"))
    return made["PublicIp"], {"AllocationId": made["AllocationId"], "PublicIp": made["PublicIp"]}


def _release(physical_id: str, p: Properties) -> None:
    ec2 = service.operator_client("ec2")
    for found in ec2.describe_addresses(PublicIps=[physical_id])["Addresses"]:
        ec2.release_address(AllocationId=found["AllocationId"])


def _nat_gateway(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    request = {k: p[k] for k in ("SubnetId", "AllocationId", "ConnectivityType") if k in p}
    identifier = service.operator_client("ec2").create_nat_gateway(**request)["NatGateway"]["NatGatewayId"]
    return identifier, {"NatGatewayId": identifier}


def _delete_nat_gateway(physical_id: str, p: Properties) -> None:
    service.operator_client("ec2").delete_nat_gateway(NatGatewayId=physical_id)


def _composite_alarm(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    name = p.get("AlarmName") or physical_name(stack, logical_id)
    known = ("AlarmRule", "AlarmDescription", "ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions")
    service.operator_client("cloudwatch").put_composite_alarm(AlarmName=name, **{k: p[k] for k in known if k in p})
    return name, {"Arn": service.arn("cloudwatch", f"alarm:{name}")}


def _update_composite(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    return _composite_alarm(physical_id, {"AlarmName": physical_id, **new}, stack)


def _delete_composite_alarm(physical_id: str, p: Properties) -> None:
    service.operator_client("cloudwatch").delete_alarms(AlarmNames=[physical_id])


def _security_configuration(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    encryption = json.loads(json.dumps(p["EncryptionConfiguration"]))
    if "S3Encryptions" in encryption:
        encryption["S3Encryption"] = encryption.pop("S3Encryptions")  # the API's name for the same list
    service.operator_client("glue").create_security_configuration(Name=p["Name"], EncryptionConfiguration=encryption)
    return p["Name"], {}


def _delete_security_configuration(physical_id: str, p: Properties) -> None:
    service.operator_client("glue").delete_security_configuration(Name=physical_id)


def _budget(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    budget = json.loads(json.dumps(p["Budget"]))
    name = budget.setdefault("BudgetName", physical_name(stack, logical_id))
    for limit in (budget.get("BudgetLimit"), *(budget.get("PlannedBudgetLimits") or {}).values()):
        if limit:
            limit["Amount"] = str(limit["Amount"])
    service.operator_client("budgets").create_budget(
        AccountId=service.account(),
        Budget=budget,
        NotificationsWithSubscribers=p.get("NotificationsWithSubscribers", []),
    )
    return name, {}


def _delete_budget(physical_id: str, p: Properties) -> None:
    service.operator_client("budgets").delete_budget(AccountId=service.account(), BudgetName=physical_id)
