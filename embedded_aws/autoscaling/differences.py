"""What the embedded Application Auto Scaling does otherwise than AWS: the documentation is made from these tables."""

from embedded_aws.redshift.differences import Difference

EXECUTED_DIFFERENTLY = (
    Difference("scalable targets", "kept; the variant's instance count is moved into the range at once"),
    Difference(
        "scaling policies", "checked and kept; none ever acts and no alarms are made, as endpoints publish no metrics"
    ),
    Difference("service-linked role", "named in the target, not created; it may do everything"),
    Difference(
        "DeleteEndpoint",
        "deregisters the targets of its variants; that the caller may do so is not checked (AWS asks for "
        "application-autoscaling:DeregisterScalableTarget)",
    ),
)

NOT_IMPLEMENTED = (
    "service namespaces other than sagemaker, dimensions other than sagemaker:variant:DesiredInstanceCount",
    "scheduled actions, scaling activities, predictive policies, tags of targets",
)
