"""What a run adds to the tables of history."""

from collections.abc import Mapping

from msgspec import Struct, field

from pipeline.load.history import Files
from pipeline.schema.documents import Difference
from pipeline.transform.observations import Seen


class News(Struct):
    """What a run adds: what it saw of articles itself, and the files of histories that it read."""

    seen: Seen
    differences: dict[str, list[Difference]] = field(default_factory=dict)
    """Fields that changed, by article_id."""
    counted: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """Files by what changed, per source."""
    first_seen: list[str] = field(default_factory=list)
    """Sources that no snapshot had before: all of their files are new."""
    files: Files = field(default_factory=dict)
    """Part files of the tables of history."""
