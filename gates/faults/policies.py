"""Faults of roles and of the policies of keys, buckets, topics and queues."""

from gates.faults.changes import (
    another_action,
    changed_statement,
    drop,
    put,
    statement,
    widened_statement,
    without_action,
    without_statement,
)
from gates.faults.fault import Fault

STRANGER = {"AWS": "arn:aws:iam::222222222222:root"}
RUN_CONTROL, TRAIN = "Orchestration/RunControlRole/DefaultPolicy", "Orchestration/TrainRole/DefaultPolicy"
OF_SERVICES = "AlarmsAndEventsOfThisAccount"
CLEANED = {"Fn::Sub": "arn:aws:s3:::solvent-prod-cleaned-${AWS::AccountId}-eu-west-1/*"}
TRAINING = {"Fn::Sub": "arn:aws:s3:::solvent-prod-training-${AWS::AccountId}-eu-west-1/*"}
TOPIC, QUEUE = "Orchestration/Notifications/Policy", "Orchestration/DeadLetters/Policy"

# fmt: off
FAULTS = (
    # too much
    Fault("a role may do everything to a service", RUN_CONTROL, another_action("dynamodb:*", beside="dynamodb:PutItem"), "least-privilege action-wildcard"),
    Fault("a role may do everything", RUN_CONTROL, statement(Action="*", Resource="*"), "least-privilege action-wildcard"),
    Fault("a role may use every key", RUN_CONTROL, changed_statement("kms:Decrypt", "Resource", "*"), "least-privilege too-broad"),
    Fault("a role may write everywhere", "Ingestion/StreamIngestRole/DefaultPolicy", changed_statement("s3:PutObject", "Resource", "*"), "least-privilege too-broad"),
    Fault("a role may do everything with a key", "Ingestion/StreamIngestRole/DefaultPolicy", another_action("kms:*", beside="kms:Decrypt"), "cdk-nag-aws-solutions AwsSolutions-IAM5[Action::kms:*]"),
    Fault("a role has an action that nothing uses", RUN_CONTROL, another_action("dynamodb:DeleteTable", beside="dynamodb:PutItem"), "least-privilege unused-action"),
    Fault("a role may delete what it only writes", "Ingestion/StreamIngestRole/DefaultPolicy", another_action("s3:DeleteObject", beside="s3:PutObject"), "least-privilege unused-action"),
    Fault("a role may pass a role to any service", TRAIN, widened_statement("iam:PassRole", "Condition"), "least-privilege pass-role"),
    Fault("a role may pass any role", TRAIN, changed_statement("iam:PassRole", "Resource", "*"), "least-privilege pass-role"),
    Fault("a role is an administrator", "Orchestration/RunControlRole", put("ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]), "least-privilege managed-policy"),
    Fault("a role may do all but one action", RUN_CONTROL, statement(NotAction="iam:DeleteRole", Resource="*"), "least-privilege not-action"),
    Fault("a role may touch all but one resource", RUN_CONTROL, statement(Action="s3:GetObject", NotResource="arn:aws:s3:::other/*"), "least-privilege not-resource"),
    Fault("a role may make users", RUN_CONTROL, statement(Action="iam:CreateAccessKey", Resource="*"), "checkov CKV_AWS_110"),

    # too little
    Fault("run control may not write the ledger", RUN_CONTROL, without_action("dynamodb:PutItem"), "least-privilege missing-action"),
    Fault("train may not pass its role", TRAIN, without_action("iam:PassRole"), "least-privilege missing-action"),
    Fault("train may not make a model", TRAIN, without_action("sagemaker:CreateModel"), "least-privilege missing-action"),
    Fault("a function in the network has no interface", RUN_CONTROL, without_action("ec2:CreateNetworkInterface"), "least-privilege missing-action"),
    Fault("stream ingest may not decrypt", "Ingestion/StreamIngestRole/DefaultPolicy", without_action("kms:Decrypt"), "least-privilege missing-action"),
    Fault("failed events cannot reach their queue", "Ingestion/StreamIngestRole/DefaultPolicy", without_action("sqs:SendMessage"), "least-privilege missing-action"),
    Fault("the nightly schedule may not start its machine", "Orchestration/ScheduleRole/DefaultPolicy", without_action("states:StartExecution"), "least-privilege missing-action"),
    Fault("a machine may not write its log", TRAIN, without_action("logs:CreateLogDelivery"), "least-privilege missing-action"),
    Fault("a machine may not watch its job", TRAIN, without_action("events:PutRule"), "least-privilege missing-action"),
    Fault("an analyst has no credentials", "Warehouse/Analyst/DefaultPolicy", without_action("redshift-serverless:GetCredentials"), "least-privilege missing-action"),

    # who may be whom
    Fault("another account may take a role", "Orchestration/RunControlRole", statement(Action="sts:AssumeRole", Principal=STRANGER), "policies trust-stranger"),
    Fault("anybody may take a role", "Orchestration/RunControlRole", statement(Action="sts:AssumeRole", Principal="*"), "policies trust-anybody"),
    Fault("another service takes the role of a function", "Orchestration/RunControlRole", changed_statement("sts:AssumeRole", "Principal.Service", "ec2.amazonaws.com"), "policies trust-service"),
    Fault("a service may take a role for another account", "Orchestration/ScheduleRole", widened_statement("sts:AssumeRole", "Condition"), "policies trust-source-account"),

    # keys, topics, queues, buckets, functions
    Fault("anybody may use the key", "Lake/Key", statement(Action="kms:Decrypt", Principal="*", Resource="*"), "checkov CKV_AWS_33"),
    Fault("another account may use the key", "Lake/Key", statement(Action="kms:Decrypt", Principal=STRANGER, Resource="*"), "policies open-to-stranger"),
    Fault("the key serves the logs of others", "Lake/Key", widened_statement("kms:Decrypt*", "Condition"), "policies unbound-service"),
    Fault("alarms cannot use the key of their topic", "Lake/Key", changed_statement("kms:Decrypt", "Principal.Service", "events.amazonaws.com", Sid=OF_SERVICES), "policies alarm-unheard"),
    Fault("events cannot use the key of their queue", "Lake/Key", changed_statement("kms:Decrypt", "Principal.Service", "cloudwatch.amazonaws.com", Sid=OF_SERVICES), "policies dead-letters-refused"),
    Fault("the machines' logs cannot be delivered", "Lake/Key", without_statement("kms:Decrypt", Sid="DeliveryOfTheStateMachinesLogs"), "policies machine-log-key"),
    Fault("the key serves services for other accounts", "Lake/Key", widened_statement("kms:Decrypt", "Condition", Sid=OF_SERVICES), "policies unbound-service"),
    Fault("anybody may publish to the topic", TOPIC, statement(Action="sns:Publish", Principal="*", Resource={"Ref": "Notifications87298708"}), "policies open-to-anybody"),
    Fault("alarms cannot publish", TOPIC, without_statement("sns:Publish", Effect="Allow"), "policies alarm-unheard"),
    Fault("anybody may fill the queue", QUEUE, statement(Action="sqs:SendMessage", Principal="*", Resource="*"), "policies open-to-anybody"),
    Fault("events cannot reach their dead letters", QUEUE, without_statement("sqs:SendMessage"), "policies dead-letters-refused"),
    Fault("anybody may read a bucket", "Lake/Cleaned/Policy", statement(Action="s3:GetObject", Principal="*", Resource=CLEANED), "cfn-guard ACCESS_IS_NOT_FOR_EVERYBODY"),
    Fault("another account may read a bucket", "Lake/Training/Policy", statement(Action="s3:GetObject", Principal=STRANGER, Resource=TRAINING), "policies open-to-stranger"),
    Fault("a bucket's log cannot be delivered", "Lake/AccessLogs/Policy", without_statement("s3:PutObject"), "policies access-logs-refused"),
    Fault("anybody may invoke the API's function", "Api/Permission", put("Principal", "*"), "cfn-guard ACCESS_TO_FUNCTIONS_IS_NAMED"),
    Fault("another API may invoke the API's function", "Api/Permission", drop("SourceArn"), "policies api-permission"),
)
