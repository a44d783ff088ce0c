"""Application Auto Scaling of SageMaker endpoint variants: targets and policies are kept, capacity is held in range."""


def register() -> None:
    """Add the service to the embedded AWS."""
    from embedded_aws.autoscaling import api

    api.register()
