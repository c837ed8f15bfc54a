"""Days as people write them."""

import datetime as dt

from pipeline.errors import UsageError


def parse_day(option: str, text: str | None) -> dt.date | None:
    """A day as `2024-01-31`; raises UsageError for anything else."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: is no day (expected YYYY-MM-DD, UTC).") from error
