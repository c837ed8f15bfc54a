"""Every kind of source there is, and which one a text names."""

import os
import re

from pipeline.extract.folder import Folder
from pipeline.extract.git.repository import Repository, is_address

Source = Folder | Repository


def parse(text: str) -> Source:
    """The source that `[name=]path` or `[name=]git+file://...` means. Raises UsageError and SourceError."""
    return Repository.parse(text) if is_address(text) else Folder.parse(text)


def shown(root: str, path: str = "") -> str:
    """A source's root, or a file of it, as people look for it: from the working directory where it lies below.

    What lies in a repository is told by its address, as git names a file of a commit.
    """
    if not is_address(root):
        place = os.path.join(root, path) if path else root
        near = os.path.relpath(place)
        return place if near.startswith("..") else near
    if not path:
        return root
    repository, _, fragment = root.partition("#")
    ref, _, inside = fragment.partition(":")
    folder = re.split(r"/?[^/]*[*?\[]", inside, maxsplit=1)[0].rstrip("/")
    return f"{repository}#{ref or 'HEAD'}:{folder + '/' if folder else ''}{path}"
