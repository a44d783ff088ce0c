"""SageMaker: jobs, endpoints and the model registry, running the real scripts as processes of this machine."""


def register() -> None:
    """Add the service (SageMaker and SageMaker Runtime share their signing name) to the embedded AWS."""
    from embedded_aws.sagemaker import api

    api.register()
