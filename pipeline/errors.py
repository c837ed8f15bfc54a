"""Every error that the project raises on purpose.

PipelineError                  exit 1   the run failed; the published snapshot is untouched
├── UsageError                 exit 2   a flag, setting or name that makes no sense
├── SourceError                exit 1   a source that cannot be listed
├── SchemaError                exit 1   a table that breaks its declaration
├── WarehouseError             exit 1   a warehouse that is missing, damaged or cannot be written
├── QueryError                 exit 1   SQL that DuckDB refuses
├── TooManyRejections          exit 3   more files rejected than --max-rejects allows
├── CheckFailed                exit 4   a check in sql/checks/ found offending rows
└── LockHeld                   exit 5   another run is writing to the same warehouse

Messages read `<path or table>: what is wrong (got X, expected Y). What to do.`
"""


class PipelineError(Exception):
    """Base of all errors that the command line prints in one line instead of a traceback."""

    exit_code = 1


class UsageError(PipelineError):
    """A flag, setting or name that makes no sense."""

    exit_code = 2


class SourceError(PipelineError):
    """A source that cannot be listed."""


class SchemaError(PipelineError):
    """A table that breaks its declaration in `schema`; lists all failures, table name first."""


class WarehouseError(PipelineError):
    """A warehouse that is missing, damaged or cannot be written."""


class QueryError(PipelineError):
    """SQL that DuckDB refuses."""


class TooManyRejections(PipelineError):
    """More files were rejected than `max_rejects` allows; nothing was published."""

    exit_code = 3


class CheckFailed(PipelineError):
    """An error-level check found offending rows."""

    exit_code = 4


class LockHeld(PipelineError):
    """Another run holds the warehouse's lock."""

    exit_code = 5
