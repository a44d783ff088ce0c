"""Faults of resources. A fault is one line: what is wrong, where, the change, and who must name it."""

from gates.faults.changes import (
    attribute,
    changed_statement,
    drop,
    put,
    statement,
    without_attribute,
    without_statement,
)
from gates.faults.fault import Fault

EVERYBODY = {"AWS": "*"}
OPEN = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}

# fmt: off
FAULTS = (
    # the door is open
    Fault("the warehouse has a public address", "Warehouse/Workgroup", put("PubliclyAccessible", True), "cfn-guard WAREHOUSE_IS_PRIVATE"),
    Fault("a bucket may be made public", "Lake/Cleaned", put("PublicAccessBlockConfiguration.BlockPublicPolicy", False), "cfn-guard ACCESS_BUCKETS_ARE_PRIVATE"),
    Fault("a bucket has no block of public access", "Lake/Training", drop("PublicAccessBlockConfiguration"), "cfn-guard ACCESS_BUCKETS_ARE_PRIVATE"),
    Fault("a bucket has a public ACL", "Lake/Raw", put("AccessControl", "PublicRead"), "checkov CKV_AWS_20"),
    Fault("a security group lets the internet in", "Network/EndpointsSecurityGroup", put("SecurityGroupIngress", [OPEN]), "cfn-guard NETWORK_LETS_NO_ADDRESS_IN"),
    Fault("a security group's rule lets the internet in", "Network/EndpointsSecurityGroup/from SolventprodNetworkComputeSecurityGroup6B50B328:443", put("CidrIp", "0.0.0.0/0"), "cfn-guard NETWORK_LETS_NO_ADDRESS_IN"),
    Fault("the warehouse's security group lets the VPC's outside in", "Network/WarehouseSecurityGroup", put("SecurityGroupIngress", [{**OPEN, "FromPort": 5439, "ToPort": 5439}]), "cdk-nag-aws-solutions AwsSolutions-EC23"),
    Fault("the functions' security group may reach the internet", "Network/ComputeSecurityGroup", put("SecurityGroupEgress", [{**OPEN, "IpProtocol": "-1"}]), "cfn-guard NETWORK_LETS_OUT_HTTPS_ONLY"),
    Fault("a subnet gives public addresses", "Network/Vpc/isolatedSubnet1/Subnet", put("MapPublicIpOnLaunch", True), "cfn-guard NETWORK_SUBNETS_ARE_PRIVATE"),
    Fault("the route that scores asks nobody who calls", "Api/Score", put("AuthorizationType", "NONE"), "cfn-guard ACCESS_TO_ROUTES_IS_AUTHORIZED"),
    Fault("the route that scores has forgotten its authorization", "Api/Score", drop("AuthorizationType"), "cdk-nag-aws-solutions AwsSolutions-APIG4"),
    Fault("a route to the internet", "Network", attribute("Resources.Out", {"Type": "AWS::EC2::Route", "Properties": {"RouteTableId": {"Ref": "VpcisolatedSubnet1RouteTableE442650B"}, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0123456789abcdef0"}}), "cfn-guard NETWORK_HAS_NO_WAY_OUT"),
    Fault("a function has a public address", "Api", attribute("Resources.Url", {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE", "TargetFunctionArn": {"Fn::GetAtt": ["Function76856677", "Arn"]}}}), "checkov CKV_AWS_258"),
    Fault("pages of a foreign origin may call the API", "Api/Api", put("CorsConfiguration", {"AllowOrigins": ["https://evil.example"], "AllowCredentials": True}), "cfn-guard ACCESS_FROM_NO_WEB_PAGE"),
    Fault("the route that scores accepts tokens", "Api/Score", put("AuthorizationType", "JWT"), "cfn-guard ACCESS_TO_ROUTES_IS_AUTHORIZED"),
    Fault("one caller may take the account's whole rate", "Api/Stage", put("DefaultRouteSettings.ThrottlingRateLimit", 1000000), "cfn-guard ACCESS_TO_API_IS_LIMITED_AND_LOGGED"),
    Fault("a security group lets a prefix list in", "Network/EndpointsSecurityGroup", put("SecurityGroupIngress", [{"SourcePrefixListId": "pl-0123456789abcdef0", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}]), "cfn-guard NETWORK_LETS_OWN_GROUPS_IN_ONLY"),
    Fault("a security group lets a stranger's group in", "Network/EndpointsSecurityGroup/from SolventprodNetworkComputeSecurityGroup6B50B328:443", put("SourceSecurityGroupOwnerId", "222222222222"), "cfn-guard NETWORK_LETS_OWN_GROUPS_IN_ONLY"),

    # what is stored or sent is not encrypted
    Fault("a bucket is encrypted with S3's key", "Lake/Raw", put("BucketEncryption", {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}), "cfn-guard ENCRYPTION_OF_BUCKETS"),
    Fault("a bucket has no encryption", "Lake/Landing", drop("BucketEncryption"), "cfn-guard ENCRYPTION_OF_BUCKETS"),
    Fault("the warehouse is encrypted with AWS's key", "Warehouse/Namespace", drop("KmsKeyId"), "cfn-guard WAREHOUSE_IS_ENCRYPTED"),
    Fault("the administrator's password is encrypted with AWS's key", "Warehouse/Namespace", drop("AdminPasswordSecretKmsKeyId"), "cfn-guard WAREHOUSE_PASSWORD_IS_MANAGED"),
    Fault("the stream is not encrypted", "Ingestion/Events", drop("StreamEncryption"), "cdk-nag-aws-solutions AwsSolutions-KDS1"),
    Fault("the queue of failed events is not encrypted", "Ingestion/DeadLetters", drop("KmsMasterKeyId"), "cfn-guard ENCRYPTION_OF_QUEUES"),
    Fault("the topic is not encrypted", "Orchestration/Notifications", drop("KmsMasterKeyId"), "cfn-guard ENCRYPTION_OF_TOPICS"),
    Fault("the ledger is not encrypted", "Orchestration/Runs", drop("SSESpecification"), "cfn-guard ENCRYPTION_OF_TABLES"),
    Fault("a function's environment is encrypted with AWS's key", "Orchestration/RunControl", drop("KmsKeyArn"), "checkov CKV_AWS_173"),
    Fault("a log group has no key", "Api/AccessLogs", drop("KmsKeyId"), "cfn-guard ENCRYPTION_OF_LOG_GROUPS"),
    Fault("the schedule's input is encrypted with AWS's key", "Orchestration/NightlyLending", drop("KmsKeyArn"), "cfn-guard ENCRYPTION_OF_SCHEDULES"),
    Fault("the key is never rotated", "Lake/Key", put("EnableKeyRotation", False), "cdk-nag-aws-solutions AwsSolutions-KMS5"),
    Fault("the key can be gone in a week", "Lake/Key", put("PendingWindowInDays", 7), "cfn-guard PROD_KEY_CAN_BE_BROUGHT_BACK"),
    Fault("Glue writes to S3 unencrypted", "Etl/Security", put("EncryptionConfiguration.S3Encryptions.0", {"S3EncryptionMode": "DISABLED"}), "cfn-guard ETL_SECURITY_CONFIGURATION_ENCRYPTS"),
    Fault("Glue writes its logs unencrypted", "Etl/Security", put("EncryptionConfiguration.CloudWatchEncryption", {"CloudWatchEncryptionMode": "DISABLED"}), "checkov CKV_AWS_99"),
    Fault("the ETL job has no security configuration", "Etl/Job", drop("SecurityConfiguration"), "cfn-guard ETL_JOBS_ARE_ENCRYPTED"),
    Fault("a bucket answers without TLS", "Lake/Cleaned/Policy", without_statement("s3:*", Effect="Deny"), "cfn-guard ACCESS_NEEDS_TLS"),
    Fault("the topic accepts messages without TLS", "Orchestration/Notifications/Policy", without_statement("sns:Publish", Effect="Deny"), "cfn-guard ACCESS_NEEDS_TLS"),
    Fault("the queue accepts messages without TLS", "Orchestration/DeadLetters/Policy", without_statement("sqs:*", Effect="Deny"), "cdk-nag-aws-solutions AwsSolutions-SQS4"),
    Fault("the warehouse accepts connections without TLS", "Warehouse/Workgroup", put("ConfigParameters.0.ParameterValue", "false"), "cfn-guard WAREHOUSE_REQUIRES_SSL"),
    Fault("the warehouse says nothing about TLS", "Warehouse/Workgroup", drop("ConfigParameters.0"), "cfn-guard WAREHOUSE_REQUIRES_SSL"),

    # secrets
    Fault("the administrator's password stands in the template", "Warehouse/Namespace", put("AdminUserPassword", "Tr0ub4dor-and-3"), "cfn-guard WAREHOUSE_PASSWORD_IS_MANAGED"),
    Fault("nobody manages the administrator's password", "Warehouse/Namespace", put("ManageAdminPassword", False), "cfn-guard WAREHOUSE_PASSWORD_IS_MANAGED"),
    Fault("a secret stands in a function's environment", "Api/Function", put("Environment.Variables.DB_PASSWORD", "Tr0ub4dor-and-3"), "cfn-guard ACCESS_NO_SECRET_IN_ENVIRONMENT"),
    Fault("an access key stands in a function's environment", "Api/Function", put("Environment.Variables.AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), "checkov CKV_AWS_45"),
    Fault("a password stands in an address", "Api/Function", put("Environment.Variables.DATABASE_URL", "postgres://admin:hunter2@db.example/solvent"), "cfn-guard ACCESS_NO_SECRET_IN_TEXT"),
    Fault("a passphrase stands in a function's environment", "Api/Function", put("Environment.Variables.PASSPHRASE", "hunter2"), "cfn-guard ACCESS_NO_SECRET_IN_ENVIRONMENT"),
    Fault("an access key stands in an argument", "Etl/Job", put("DefaultArguments.--id", "AKIAIOSFODNN7EXAMPLE"), "cfn-guard ACCESS_NO_SECRET_IN_TEXT"),
    Fault("a password stands in an argument", "Etl/Job", put("DefaultArguments.--db_password", "hunter2"), "cfn-guard ETL_NO_SECRET_IN_ARGUMENTS"),
    Fault("a password stands in an output", "Warehouse", attribute("Outputs", {"AdminPassword": {"Value": "hunter2"}}), "cfn-guard ACCESS_NO_SECRET_IN_OUTPUTS"),

    # nobody could find out what happened
    Fault("a log group keeps its entries for ever", "Orchestration/TrainLogs", drop("RetentionInDays"), "cfn-guard RETENTION_OF_LOGS"),
    Fault("a log group forgets within a month", "Warehouse/Userlog", put("RetentionInDays", 30), "cfn-guard PROD_LOGS_ARE_KEPT_FOR_A_YEAR"),
    Fault("the warehouse does not log who asked what", "Warehouse/Namespace", put("LogExports", ["userlog"]), "cfn-guard WAREHOUSE_IS_AUDITED"),
    Fault("the warehouse's activity log is off", "Warehouse/Workgroup", put("ConfigParameters.1.ParameterValue", "false"), "cfn-guard WAREHOUSE_LOGS_STATEMENTS"),
    Fault("a bucket does not log its access", "Lake/Quarantine", drop("LoggingConfiguration"), "cfn-guard ACCESS_TO_BUCKETS_IS_LOGGED"),
    Fault("the API does not log its calls", "Api/Stage", drop("AccessLogSettings"), "cfn-guard ACCESS_TO_API_IS_LIMITED_AND_LOGGED"),
    Fault("the VPC has no flow log", "Network", without_attribute("Resources.VpcFlowFlowLogC8A17D78"), "cfn-guard NETWORK_FLOWS_ARE_LOGGED"),
    Fault("a state machine logs nothing", "Orchestration/Score", drop("LoggingConfiguration"), "cdk-nag-aws-solutions AwsSolutions-SF1"),
    Fault("a state machine logs its data", "Orchestration/Score", put("LoggingConfiguration.IncludeExecutionData", True), "cfn-guard ORCHESTRATION_IS_LOGGED_WITHOUT_DATA"),
    Fault("a state machine is not traced", "Orchestration/Ingest", put("TracingConfiguration.Enabled", False), "cfn-guard ORCHESTRATION_IS_TRACED"),
    Fault("a function is not traced", "Orchestration/ModelGate", drop("TracingConfig"), "cdk-nag-serverless Serverless-LambdaTracing"),
    Fault("an alarm tells nobody", "Observability/TrainFailed", drop("AlarmActions"), "cfn-guard OBSERVABILITY_ALARMS_TELL_SOMEBODY"),
    Fault("an alarm is muted", "Observability/TrainFailed", put("ActionsEnabled", False), "cfn-guard OBSERVABILITY_ALARMS_ARE_NOT_MUTED"),
    Fault("an alarm tells a stranger", "Observability/TrainFailed", put("AlarmActions", ["arn:aws:sns:eu-west-1:222222222222:alarms"]), "cfn-guard OBSERVABILITY_ALARMS_ARE_NOT_MUTED"),

    # it runs no more
    Fault("the nightly schedule is switched off", "Orchestration/NightlyLending", put("State", "DISABLED"), "cfn-guard PROD_SCHEDULES_ARE_SWITCHED_ON"),
    Fault("deliveries start nothing", "Orchestration/DeliveryArrived", put("State", "DISABLED"), "cfn-guard ORCHESTRATION_IS_SWITCHED_ON"),
    Fault("a deleted object starts what an arrived one should", "Orchestration/DeliveryArrived", put("EventPattern.detail-type", ["Object Deleted"]), "cfn-guard ORCHESTRATION_STARTS_WHEN_OBJECTS_ARRIVE"),
    Fault("the stream's mapping is switched off", "Ingestion/Mapping", put("Enabled", False), "cfn-guard ORCHESTRATION_IS_SWITCHED_ON"),
    Fault("every call of a function is throttled", "Orchestration/RunControl", put("ReservedConcurrentExecutions", 0), "cfn-guard ORCHESTRATION_IS_SWITCHED_ON"),
    Fault("the key is disabled", "Lake/Key", put("Enabled", False), "cfn-guard ENCRYPTION_KEYS_ARE_ENABLED"),

    # data can be lost
    Fault("a bucket is deleted with its stack", "Lake/Raw", attribute("DeletionPolicy", "Delete"), "cfn-guard PROD_DATA_OUTLIVES_THE_STACK"),
    Fault("the warehouse is deleted with its stack", "Warehouse/Namespace", attribute("DeletionPolicy", "Delete"), "cfn-guard PROD_DATA_OUTLIVES_THE_STACK"),
    Fault("the warehouse is deleted when it is replaced", "Warehouse/Namespace", attribute("UpdateReplacePolicy", "Delete"), "release policy-weakened"),
    Fault("the warehouse leaves no last snapshot", "Warehouse/Namespace", drop("FinalSnapshotName"), "cfn-guard PROD_WAREHOUSE_LEAVES_A_SNAPSHOT"),
    Fault("the key is deleted with its stack", "Lake/Key", without_attribute("DeletionPolicy"), "cfn-lint W3011"),
    Fault("the ledger can be deleted", "Orchestration/Runs", put("Replicas.0.DeletionProtectionEnabled", False), "cfn-guard PROD_TABLES_ARE_PROTECTED"),
    Fault("the ledger cannot be restored to a point in time", "Orchestration/Runs", drop("Replicas.0.PointInTimeRecoverySpecification"), "cfn-guard RETENTION_OF_TABLES"),
    Fault("a bucket keeps no versions", "Lake/Artifacts", put("VersioningConfiguration.Status", "Suspended"), "cfn-guard RETENTION_OF_OBJECT_VERSIONS"),
    Fault("delivered files are gone within a day", "Lake/Landing", put("LifecycleConfiguration.Rules.1.ExpirationInDays", 1), "cfn-guard RETENTION_OF_OBJECTS"),
    Fault("delivered files are gone within a quarter", "Lake/Landing", put("LifecycleConfiguration.Rules.1.ExpirationInDays", 90), "cfn-guard PROD_DELIVERIES_ARE_KEPT_FOR_SEVEN_YEARS"),
    Fault("what was made of deliveries expires", "Lake/Raw", put("LifecycleConfiguration.Rules.0.ExpirationInDays", 1), "cfn-guard RETENTION_OF_OBJECTS"),
    Fault("overwritten objects are gone within a day", "Lake/Cleaned", put("LifecycleConfiguration.Rules.0.NoncurrentVersionExpiration.NoncurrentDays", 1), "cfn-guard RETENTION_OF_OBJECTS"),
    Fault("the stream forgets within a day", "Ingestion/Events", put("RetentionPeriodHours", 24), "cfn-guard PROD_STREAM_HOLDS_A_WEEK"),
    Fault("records that a function cannot read are dropped", "Ingestion/Mapping", drop("DestinationConfig"), "cdk-nag-serverless Serverless-LambdaEventSourceMappingDestination"),
    Fault("one bad record holds up its whole batch", "Ingestion/Mapping", drop("BisectBatchOnFunctionError"), "cfn-guard ORCHESTRATION_STREAM_FAILURES_ARE_KEPT"),
    Fault("a bad record is tried for ever", "Ingestion/Mapping", put("MaximumRetryAttempts", -1), "cfn-guard ORCHESTRATION_STREAM_FAILURES_ARE_KEPT"),
    Fault("a delivery that starts nothing is dropped", "Orchestration/DeliveryArrived", drop("Targets.0.DeadLetterConfig"), "cfn-guard ORCHESTRATION_EVENTS_LEAVE_DEAD_LETTERS"),
    Fault("a night that starts nothing is dropped", "Orchestration/NightlyLending", drop("Target.DeadLetterConfig"), "cfn-guard ORCHESTRATION_SCHEDULES_LEAVE_DEAD_LETTERS"),
    Fault("failed events are forgotten within a day", "Ingestion/DeadLetters", put("MessageRetentionPeriod", 86400), "cfn-guard RETENTION_OF_DEAD_LETTERS"),

    # data goes to a stranger
    Fault("the ETL job runs a stranger's script", "Etl/Job", put("Command.ScriptLocation", "s3://strangers-bucket/etl.py"), "foreign-references foreign-bucket"),
    Fault("the ETL job writes to a stranger's bucket", "Etl/Job", put("DefaultArguments.--raw_bucket", "strangers-bucket"), "foreign-references foreign-bucket"),
    Fault("a bucket is copied to a stranger's", "Lake/Raw", put("ReplicationConfiguration", {"Role": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/solvent-prod-copy"}, "Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::strangers-bucket"}}]}), "foreign-references gives-to-others"),
    Fault("a function runs a stranger's layer", "Api/Function", put("Layers", ["arn:aws:lambda:eu-west-1:222222222222:layer:spy:1"]), "foreign-references foreign-layer"),

    # prod's network
    Fault("a function runs outside the network", "Orchestration/RunControl", drop("VpcConfig"), "cfn-guard PROD_FUNCTIONS_ARE_IN_THE_NETWORK"),
    Fault("the warehouse's traffic leaves the network", "Warehouse/Workgroup", put("EnhancedVpcRouting", False), "cfn-guard WAREHOUSE_ROUTES_THROUGH_THE_VPC"),
    Fault("the ETL job runs outside the network", "Etl/Job", drop("Connections"), "cfn-guard PROD_GLUE_JOBS_ARE_IN_THE_NETWORK"),
    Fault("an endpoint of the network is missing", "Network", without_attribute("Resources.VpcKms28ADD6F7"), "networks no-endpoint"),
    Fault("the functions may not enter the endpoints", "Network", without_attribute("Resources.EndpointsSecurityGroupfromSolventprodNetworkComputeSecurityGroup6B50B32844390A487CD"), "networks closed-ingress"),
    Fault("an endpoint has no private name", "Network/Vpc/States", put("PrivateDnsEnabled", False), "networks no-private-dns"),

    Fault("the functions' security group lets nothing out", "Network/ComputeSecurityGroup", put("SecurityGroupEgress", [{**OPEN, "FromPort": 80, "ToPort": 80}]), "networks closed-egress"),
    Fault("S3's gateway leads to buckets of another account", "Network/Vpc/S3", changed_statement("s3:*", "Condition", {"StringEquals": {"aws:ResourceAccount": "222222222222"}}), "networks open-gateway"),
    Fault("S3's gateway leads to buckets of all accounts but this", "Network/Vpc/S3", changed_statement("s3:*", "Condition", {"StringNotEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}), "networks open-gateway"),
    Fault("S3's gateway lets data out to a stranger's bucket", "Network/Vpc/S3", statement(Action="s3:PutObject", Principal=EVERYBODY, Resource="arn:aws:s3:::exfiltration/*"), "networks open-gateway"),
    Fault("S3's gateway lets data out to every bucket", "Network/Vpc/S3", statement(Action="s3:PutObject", Principal=EVERYBODY, Resource="arn:aws:s3:::*"), "networks open-gateway"),
    Fault("S3's gateway leads to no bucket of this account", "Network/Vpc/S3", without_statement("s3:*"), "networks closed-gateway"),
    Fault("an endpoint lets nothing through", "Network/Vpc/Kms", put("PolicyDocument", {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}), "policies deny"),
    Fault("the warehouse has a stranger's role", "Warehouse/Namespace", put("IamRoles", ["arn:aws:iam::222222222222:role/x"]), "networks unknown-role"),

    # what CloudFormation would refuse or misunderstand
    Fault("a property that does not exist", "Ingestion/Events", put("Shards", 3), "cfn-lint E3002"),
    Fault("a property of the wrong type", "Orchestration/RunControl", put("Timeout", "a minute"), "cfn-lint E3012"),
    Fault("a value that is not allowed", "Orchestration/RunControl", put("Architectures", ["arm65"]), "cfn-lint E3030"),
    Fault("a required property is missing", "Etl/Job", drop("Command"), "cfn-lint E3003"),
    Fault("a reference to nothing", "Ingestion/Mapping", put("FunctionName", {"Ref": "StreamIngest"}), "cfn-lint E1020"),
    Fault("an attribute that its resource does not have", "Ingestion/Mapping", put("EventSourceArn", {"Fn::GetAtt": ["EventsD32975C2", "StreamArn"]}), "cfn-lint E1010"),
    Fault("a resource waits for itself", "Warehouse/Namespace", attribute("DependsOn", ["Workgroup"]), "cfn-lint E3004"),
    Fault("a resource type that does not exist", "Etl/Job", attribute("Type", "AWS::Glue::Jobs"), "cfn-lint E3006"),
    Fault("a runtime that Lambda no longer has", "Api/Function", put("Runtime", "python3.8"), "cfn-lint W2531"),
    Fault("a Glue version that nobody has tested", "Etl/Job", put("GlueVersion", "3.0"), "cfn-guard ETL_GLUE_VERSION_IS_TESTED"),
    Fault("a memory size that Lambda does not have", "Api/Function", put("MemorySize", 64), "cfn-lint E3034"),

    # money
    Fault("the warehouse is sixteen times as large", "Warehouse/Workgroup", put("BaseCapacity", 128), "cfn-guard LIMITS_OF_WAREHOUSE"),
    Fault("the warehouse has no upper limit", "Warehouse/Workgroup", drop("MaxCapacity"), "cfn-guard WAREHOUSE_CAPACITY_IS_BOUNDED"),
    Fault("the ETL job has a hundred workers", "Etl/Job", put("NumberOfWorkers", 100), "cfn-guard LIMITS_OF_ETL"),
    Fault("the ETL job may run for two days", "Etl/Job", put("Timeout", 2880), "cfn-guard LIMITS_OF_ETL"),
    Fault("the stream has a hundred shards", "Ingestion/Events", put("ShardCount", 100), "cost over-budget"),

    # what a deploy would take away
    Fault("an output is gone that another stack reads", "Network", without_attribute("Outputs.PublishOutputFnGetAttComputeSecurityGroupF0F5C976GroupId55B9628D"), "release output-removed"),
    Fault("a bucket gets another name", "Lake/Raw", put("BucketName", "solvent-raw"), "release resource-replaced"),
    Fault("logged models are registered past the gates", "Training/Experiments", drop("ModelRegistrationMode"), "cfn-guard SAGEMAKER_LOGS_REGISTER_NOTHING"),
    Fault("the registry of models gets another name", "Training/ModelsLending", put("ModelPackageGroupName", "models"), "release resource-replaced"),
    Fault("a bucket is gone", "Lake", without_attribute("Resources.Quarantine23FF09FE"), "release resource-removed"),

    # dev, too
    Fault("the warehouse of dev has a public address", "Warehouse/Workgroup", put("PubliclyAccessible", True), "cfn-guard WAREHOUSE_IS_PRIVATE", "dev"),
    Fault("a bucket of dev has no encryption", "Lake/Landing", drop("BucketEncryption"), "cfn-guard ENCRYPTION_OF_BUCKETS", "dev"),
    Fault("a log group of dev forgets within a day", "Api/AccessLogs", put("RetentionInDays", 1), "cfn-guard RETENTION_OF_LOGS", "dev"),
)
