"""What stops the ETL."""


class EtlError(Exception):
    """The run cannot go on; the message names the file or table, the cause, the fix and the effect."""
