"""Every kind of source there is, and which one a text names."""

from pipeline.extract.git import Repository, is_address
from pipeline.extract.source import Folder

Source = Folder | Repository


def parse(text: str) -> Source:
    """The source that `[name=]path` or `[name=]git+file://...` means. Raises UsageError and SourceError."""
    return Repository.parse(text) if is_address(text) else Folder.parse(text)
