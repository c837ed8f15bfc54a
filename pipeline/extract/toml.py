"""TOML 1.0 front matter for python-frontmatter, by the standard library's `tomllib`.

The handler that python-frontmatter brings stands on the `toml` package, which knows TOML 0.5 only.
"""

import re
import tomllib
from typing import Any

from frontmatter.default_handlers import BaseHandler

_POSITION = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")


class TomlHandler(BaseHandler):
    """Front matter between two lines of `+++`."""

    FM_BOUNDARY = re.compile(r"^\+{3}[ \t]*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "+++"

    def load(self, fm: str, **kwargs: Any) -> dict[str, Any]:
        """Return the fields; raises tomllib.TOMLDecodeError, see `error_position`."""
        return tomllib.loads(fm, **kwargs)


def error_position(error: Exception, text: str) -> tuple[int, int] | None:
    """Return line and column (from 1) in `text` of a TOML error; the last line if it is the end."""
    match = _POSITION.search(str(error))
    if match is None:
        return None
    if match[1]:
        return int(match[1]), int(match[2])
    lines = text.removesuffix("\n").split("\n")
    return len(lines), len(lines[-1]) + 1
