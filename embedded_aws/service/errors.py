"""What goes wrong, as AWS says it."""


class ApiError(Exception):
    """An error that goes back to the caller as AWS gives it: code, message, HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
