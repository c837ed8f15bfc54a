"""The SQL files of `sql/`: one relation per file, the file's name is the relation's name."""

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SchemaError

_HEADER = re.compile(r"-- (One row per .+)")
_COLUMN_LINE = re.compile(r"--   (\w+): (.+)")


def sql_folder() -> Path:
    """Where the SQL files lie: inside the installed package, or beside it in a checkout."""
    packed = Path(__file__).parent / "sql"
    return packed if packed.is_dir() else Path(__file__).parents[1] / "sql"


@dataclass(frozen=True)
class Relation:
    """One SQL file: its name is the view's name, its header says what a row and each column is."""

    path: Path
    comment: str
    columns: dict[str, str]
    query: str

    @property
    def name(self) -> str:
        """Name of the view."""
        return self.path.stem

    @classmethod
    def load(cls, path: Path) -> "Relation":
        """Read a file. Raises SchemaError where the first line is no grain line."""
        query = path.read_text(encoding="utf-8")
        header = _HEADER.match(query)
        if header is None:
            raise SchemaError(
                f"{path.name}: the first line is no grain line (expected `-- One row per <grain>: <purpose>.`). Add one."
            )
        columns = {}
        for line in query.splitlines()[1:]:
            if not line.startswith("--"):
                break
            if found := _COLUMN_LINE.match(line):
                columns[found[1]] = found[2]
        return cls(path, header[1], columns, query.strip().rstrip(";"))


def relations(*levels: str) -> list[Relation]:
    """The SQL files of the levels in order; within a level no relation reads another one."""
    return [Relation.load(path) for level in levels for path in sorted((sql_folder() / level).rglob("*.sql"))]
