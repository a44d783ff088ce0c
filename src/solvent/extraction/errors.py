"""What can go wrong in an extraction, by name. No message holds a password, a URL or a value of a row."""


class ExtractionError(Exception):
    """An extraction cannot go on; the message says why, what to do and what has happened to the delivery."""


class InvalidExtraction(ExtractionError):
    """The definition of an extraction is wrong or missing."""


class InvalidDatabase(ExtractionError):
    """The address of a database is wrong, or holds what belongs into its secret."""


class NoSecret(ExtractionError):
    """The secret with the user's name and password cannot be read."""


class LoginRefused(ExtractionError):
    """The database refused user or password."""


class DatabaseUnreachable(ExtractionError):
    """The database does not answer, or went away."""


class NoSuchTable(ExtractionError):
    """A table is not there, or its user may not see it."""


class NoSuchColumn(ExtractionError):
    """A table or query lacks a column."""


class QueryRefused(ExtractionError):
    """The database refused a statement."""


class KeyNotUnique(ExtractionError):
    """The key of a source does not name one row each, so that rows could be lost between two chunks."""


class WatermarkMissing(ExtractionError):
    """Rows without a watermark: no increment would ever find their changes."""


class NothingExported(ExtractionError):
    """There is no exported file of a source."""


class UnreadableExport(ExtractionError):
    """An exported file is not of the form that its definition describes."""


class ExtractionBusy(ExtractionError):
    """Another job has moved the same extraction on."""
