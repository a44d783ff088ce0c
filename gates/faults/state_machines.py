"""Faults of the state machines' definitions."""

from gates.faults.changes import state, without_state_field
from gates.faults.fault import Fault

RETRY_ALL = [{"ErrorEquals": ["States.ALL", "States.Timeout"], "MaxAttempts": 2}]
RETRY_LONG = [
    {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 60, "MaxAttempts": 99999999, "BackoffRate": 1.0}
]

# fmt: off
FAULTS = (
    # the States Language
    Fault("a transition to nowhere", "Orchestration/Ingest", state("UseRun", "Next", "Nowhere"), "asl-validator MISSING_TRANSITION_TARGET"),
    Fault("a machine starts nowhere", "Orchestration/Score", state("", "StartAt", "Nowhere"), "asl-validator MISSING_TRANSITION_TARGET"),
    Fault("a state that nothing leads to", "Orchestration/Score", state("", "States.Orphan", {"Type": "Succeed"}), "asl-validator MISSING_TRANSITION_TARGET"),
    Fault("a state without an end", "Orchestration/Pipeline", without_state_field("CompleteRun", "End"), "asl-validator TERMINAL_STATE_WITH_NEXT"),
    Fault("a state of an unknown type", "Orchestration/Ingest", state("WaitLoad", "Type", "Sleep"), "asl-validator SCHEMA_VALIDATION_FAILED"),
    Fault("a result path that is no path", "Orchestration/Ingest", state("RunEtl", "ResultPath", "etl"), "asl-validator SCHEMA_VALIDATION_FAILED"),
    Fault("a result path that nobody reads", "Orchestration/Ingest", state("RunEtl", "ResultPath", "$.elt"), "data-flow unread"),
    Fault("an input path to what was never written", "Orchestration/Score", state("UseRun", "InputPath", "$.began.run"), "data-flow unwritten"),
    Fault("a result in the place of everything", "Orchestration/Ingest", without_state_field("LoadWarehouse", "ResultPath"), "data-flow unwritten"),
    Fault("an error in the place of everything", "Orchestration/Ingest", without_state_field("RunEtl", "Catch.0.ResultPath"), "data-flow unwritten"),
    Fault("a misspelt field", "Orchestration/Ingest", state("RunEtl", "TimeoutSecond", 7800), "asl-validator SCHEMA_VALIDATION_FAILED"),
    Fault("a choice without a default", "Orchestration/Ingest", without_state_field("CheckLoad", "Default"), "asl-rules ASL_CHOICE_WITHOUT_DEFAULT"),
    Fault("a service that Step Functions does not have", "Orchestration/Train", state("CreateModel", "Resource", "arn:aws:states:::sagemakers:createModel"), "asl-rules ASL_UNKNOWN_RESOURCE"),
    Fault("an SDK action that does not exist", "Orchestration/Train", state("CreateModel", "Resource", "arn:aws:states:::aws-sdk:sagemaker:makeModel"), "asl-rules ASL_UNKNOWN_RESOURCE"),
    Fault("a pattern that the integration does not have", "Orchestration/Train", state("Train", "Resource", "arn:aws:states:::sagemaker:createTrainingJob.wait"), "asl-rules ASL_UNKNOWN_RESOURCE"),
    Fault("States.ALL beside another error", "Orchestration/Ingest", state("LoadWarehouse", "Retry", RETRY_ALL), "asl-rules ASL_STATES_ALL_MIXED"),
    Fault("a task without a retry", "Orchestration/Ingest", without_state_field("LoadWarehouse", "Retry"), "asl-rules ASL_TASK_WITHOUT_RETRY"),
    Fault("a task without a catch", "Orchestration/Ingest", without_state_field("LoadWarehouse", "Catch"), "asl-rules ASL_TASK_WITHOUT_CATCH"),
    Fault("a task that is tried for ever", "Orchestration/Score", state("Transform", "Retry", RETRY_LONG), "asl-rules ASL_RETRIES_EVERYTHING"),
    Fault("a job that may run for ever", "Orchestration/Ingest", without_state_field("RunEtl", "TimeoutSeconds"), "asl-rules ASL_WITHOUT_TIMEOUT"),
    Fault("a machine that may run for ever", "Orchestration/Train", without_state_field("", "TimeoutSeconds"), "asl-rules ASL_WITHOUT_TIMEOUT"),
    Fault("a machine that may run for three years", "Orchestration/Train", state("", "TimeoutSeconds", 99999999), "asl-rules ASL_OUT_OF_TIME"),
    Fault("a job that may run for three years", "Orchestration/Ingest", state("RunEtl", "TimeoutSeconds", 99999999), "asl-rules ASL_OUT_OF_TIME"),
    Fault("a loop without a reachable end", "Orchestration/Ingest", state("CheckLoad", "Choices.3.NumericGreaterThanEquals", 999999999), "asl-rules ASL_OUT_OF_TIME"),
    Fault("a retry that never tries", "Orchestration/Ingest", state("RunEtl", "Retry.0.MaxAttempts", 0), "asl-rules ASL_RETRY_OUT_OF_BOUNDS"),
    Fault("a retry without end", "Orchestration/Ingest", state("RunEtl", "Retry.0.MaxAttempts", 99999999), "asl-rules ASL_RETRY_OUT_OF_BOUNDS"),
    Fault("a retry of an error that the service does not have", "Orchestration/Ingest", state("RunEtl", "Retry.0.ErrorEquals", ["Glue.ConcurrentRunExceeded"]), "asl-rules ASL_UNKNOWN_ERROR"),
    Fault("a catch of an error that Step Functions does not have", "Orchestration/Ingest", state("RunEtl", "Catch.0.ErrorEquals", ["States.All"]), "asl-rules ASL_UNKNOWN_ERROR"),
    # what the machines create
    Fault("a model outside the network", "Orchestration/Train", without_state_field("CreateModel", "Parameters.VpcConfig"), "cfn-guard PROD_MODELS_ARE_IN_THE_NETWORK"),
    Fault("a model that may call out", "Orchestration/Train", state("CreateModel", "Parameters.EnableNetworkIsolation", False), "cfn-guard SAGEMAKER_MODELS_ARE_ISOLATED"),
    Fault("a training job that may call out", "Orchestration/Train", state("Train", "Parameters.EnableNetworkIsolation", False), "cfn-guard SAGEMAKER_TRAINING_IS_ISOLATED"),
    Fault("a training job outside the network", "Orchestration/Train", without_state_field("Train", "Parameters.VpcConfig"), "cfn-guard PROD_MODELS_ARE_IN_THE_NETWORK"),
    Fault("a training volume without a key", "Orchestration/Train", without_state_field("Train", "Parameters.ResourceConfig.VolumeKmsKeyId"), "cfn-guard SAGEMAKER_TRAINING_IS_ENCRYPTED"),
    Fault("a model artifact without a key", "Orchestration/Train", without_state_field("Train", "Parameters.OutputDataConfig.KmsKeyId"), "cfn-guard SAGEMAKER_TRAINING_IS_ENCRYPTED"),
    Fault("an endpoint's volume without a key", "Orchestration/Train", without_state_field("CreateEndpointConfig", "Parameters.KmsKeyId"), "cfn-guard SAGEMAKER_ENDPOINTS_ARE_ENCRYPTED"),
    Fault("predictions without a key", "Orchestration/Score", without_state_field("Transform", "Parameters.TransformOutput.KmsKeyId"), "cfn-guard SAGEMAKER_TRANSFORM_IS_ENCRYPTED"),
    Fault("a training volume under a key of AWS", "Orchestration/Train", state("Train", "Parameters.ResourceConfig.VolumeKmsKeyId", "alias/aws/ebs"), "cfn-guard SAGEMAKER_TRAINING_IS_ENCRYPTED"),
    Fault("a model artifact under a key of AWS", "Orchestration/Train", state("Train", "Parameters.OutputDataConfig.KmsKeyId", "alias/aws/s3"), "cfn-guard SAGEMAKER_TRAINING_IS_ENCRYPTED"),
    Fault("predictions go to a stranger's bucket", "Orchestration/Score", state("Transform", "Parameters.TransformOutput.S3OutputPath", "s3://strangers-bucket/predictions"), "foreign-references foreign-bucket"),
    Fault("an image of a stranger", "Orchestration/Train", state("CreateModel", "Parameters.PrimaryContainer.Image", "222222222222.dkr.ecr.eu-west-1.amazonaws.com/spy:1"), "foreign-references foreign-account"),
    Fault("an endpoint on a single instance", "Orchestration/Train", state("CreateEndpointConfig", "Parameters.ProductionVariants.0.InitialInstanceCount", 1), "cfn-guard PROD_ENDPOINTS_HAVE_TWO_INSTANCES"),
    Fault("an update without a way back", "Orchestration/Train", without_state_field("UpdateEndpoint", "Parameters.DeploymentConfig.AutoRollbackConfiguration"), "cfn-guard SAGEMAKER_UPDATES_ROLL_BACK"),
    Fault("an update without any deployment configuration", "Orchestration/Train", without_state_field("UpdateEndpoint", "Parameters.DeploymentConfig"), "cfn-guard SAGEMAKER_UPDATES_ROLL_BACK"),
    Fault("a training job without a limit of time", "Orchestration/Train", without_state_field("Train", "Parameters.StoppingCondition"), "cfn-guard SAGEMAKER_TRAINING_IS_BOUNDED"),
    Fault("an endpoint on a very large instance", "Orchestration/Train", state("CreateEndpointConfig", "Parameters.ProductionVariants.0.InstanceType", "ml.p4d.24xlarge"), "cost unpriced"),
    Fault("an approval that nobody gives", "Orchestration/Train", state("RegisterModel", "Parameters.ModelApprovalStatus", "Approved"), "cfn-guard PROD_A_PERSON_APPROVES_MODELS"),
)
