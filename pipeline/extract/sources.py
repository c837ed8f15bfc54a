"""The kinds of sources, and which one a text names."""

import os
import re

from pipeline.extract.folder import Folder
from pipeline.extract.git.repository import Repository, is_address

Source = Folder | Repository


def parse(text: str) -> Source:
    """Return the source that `[name=]path` or `[name=]git+file://...` names.

    Raises UsageError and SourceError.
    """
    return Repository.parse(text) if is_address(text) else Folder.parse(text)


def shown(root: str, path: str = "") -> str:
    """Return a source's root, or a file of it, relative to the working directory if it lies below.

    A file of a repository is named as git does: address, commit and path.
    """
    if not is_address(root):
        full = os.path.join(root, path) if path else root
        relative = os.path.relpath(full)
        return full if relative.startswith("..") else relative
    if not path:
        return root
    repository, _, fragment = root.partition("#")
    ref, _, inside = fragment.partition(":")
    folder = re.split(r"/?[^/]*[*?\[]", inside, maxsplit=1)[0].rstrip("/")
    return f"{repository}#{ref or 'HEAD'}:{folder + '/' if folder else ''}{path}"
