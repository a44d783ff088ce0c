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
NEGATED = {"StringNotEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
IF_THERE = {"StringEqualsIfExists": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
MODEL_ROLE = {
    "AWS": {
        "Fn::GetStackOutput": {
            "StackName": "Solvent-prod-Serving",
            "Region": "eu-west-1",
            "OutputName": "PublishOutputFnGetAttRole1ABCC5F0Arn29819242",
        }
    }
}
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
    Fault("a role writes to another table", RUN_CONTROL, changed_statement("dynamodb:PutItem", "Resource", {"Fn::Sub": "arn:aws:dynamodb:eu-west-1:${AWS::AccountId}:table/other"}), "least-privilege foreign-resource"),
    Fault("a role may give the key to anybody", TRAIN, widened_statement("kms:CreateGrant", "Condition"), "least-privilege missing-condition"),
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

    # taken away again
    Fault("a role is denied what it needs", RUN_CONTROL, statement(Effect="Deny", Action="s3:PutObject", Resource="*"), "policies deny"),
    Fault("a role has a boundary that denies everything", "Orchestration/RunControlRole", put("PermissionsBoundary", "arn:aws:iam::aws:policy/AWSDenyAll"), "policies boundary"),

    # who may be whom
    Fault("an analyst is a risk officer in the warehouse", "Warehouse/Analyst", put("Tags.0.Value", "risk_officer"), "policies people-role"),
    Fault("an analyst has a role that the warehouse does not know", "Warehouse/Analyst", put("Tags.0.Value", "analysts"), "policies people-role"),
    Fault("an administrator of the warehouse needs no second factor", "Warehouse/Admin", widened_statement("sts:AssumeRole", "Condition"), "policies people-mfa"),
    Fault("all accounts but this may take a role by a service", "Orchestration/ScheduleRole", changed_statement("sts:AssumeRole", "Condition", NEGATED), "policies trust-source-account"),
    Fault("a function's role can be taken on a condition that Lambda never fulfils", "Orchestration/RunControlRole", changed_statement("sts:AssumeRole", "Condition", {"StringEquals": {"sts:ExternalId": "x"}}), "policies trust-condition"),
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
    Fault("a role may delete what a bucket holds, by the bucket's policy", "Lake/Training/Policy", statement(Action=["s3:GetObject", "s3:DeleteObject"], Principal=MODEL_ROLE, Resource=TRAINING), "policies open-to-role"),
    Fault("a role may delete the key, by the key's policy", "Lake/Key", statement(Action="kms:ScheduleKeyDeletion", Principal=MODEL_ROLE, Resource="*"), "policies open-to-role"),
    Fault("services may delete the key", "Lake/Key", another_action("kms:ScheduleKeyDeletion", beside="kms:GenerateDataKey*"), "policies unexpected-action"),
    Fault("alarms may change their topic", TOPIC, changed_statement("sns:Publish", "Action", ["sns:Publish", "sns:SetTopicAttributes"], Effect="Allow"), "policies unexpected-action"),
    Fault("the account does not administer its key", "Lake/Key", without_statement("kms:*"), "policies key-without-root"),
    Fault("the key serves alarms of all accounts but this", "Lake/Key", changed_statement("kms:Decrypt", "Condition", NEGATED, Sid=OF_SERVICES), "policies unbound-service"),
    Fault("the key serves whoever names no account", "Lake/Key", changed_statement("kms:Decrypt", "Condition", IF_THERE, Sid=OF_SERVICES), "policies unbound-service"),
    Fault("alarms of all accounts but this may publish", TOPIC, changed_statement("sns:Publish", "Condition", NEGATED, Effect="Allow"), "policies unbound-service"),
    Fault("nobody may decrypt", "Lake/Key", statement(Effect="Deny", Action="kms:Decrypt", Principal="*", Resource="*"), "policies deny"),
    Fault("a bucket refuses requests without TLS for some objects only", "Lake/Raw/Policy", changed_statement("s3:*", "Resource", {"Fn::Join": ["", [{"Fn::GetAtt": ["Raw72517081", "Arn"]}, "/public/*"]]}), "policies deny"),
    Fault("another API may invoke the API's function", "Api/Permission", drop("SourceArn"), "policies api-permission"),
)
