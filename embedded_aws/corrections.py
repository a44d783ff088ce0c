"""Where ministack differs from AWS in a way our users would notice, put right. One module each, installed in one
place.
"""

from embedded_aws import adapter


def loopback_counts_as_tls() -> None:
    """A request over the loopback never leaves the machine: `aws:SecureTransport` holds for it."""

    def pin(inner: object, source_ip: str, secure: bool) -> None:
        inner(source_ip, secure or source_ip in ("127.0.0.1", "::1", "localhost"))  # type: ignore[operator]

    adapter.REQUEST_ORIGIN.wrap(pin)


def install() -> None:
    """Apply every correction; called once, before the first request."""
    from embedded_aws import absent_objects, cloudformation, encryption, service_roles, signatures, step_functions
    from embedded_aws.functions import kinesis, worker
    from embedded_aws.glue import jobs

    loopback_counts_as_tls()
    signatures.install()
    encryption.install()
    absent_objects.install()
    worker.install()
    service_roles.install()
    kinesis.install()
    cloudformation.install()
    jobs.install()
    step_functions.install()
