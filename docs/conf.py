"""Settings of the documentation site: `make docs` builds and serves it. Nothing is fetched while it is built."""

import gc
import inspect
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_scripts")]

from pipeline import __version__  # noqa: E402

gc.disable()  # a seventh of the time of a build, for 30 pages that fit into memory

project = "frontmatter-warehouse"
author = "The frontmatter-warehouse maintainers"
project_copyright = author
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "mermaid"]
exclude_patterns = ["_scripts"]
nitpicky = True
nitpick_ignore_regex = [
    # Types of other packages: their sites are not read while this one is built.
    (
        r"py:.*",
        r"(collections|contextlib|datetime|duckdb|os|pandas|pathlib|polars|pyarrow|typing)\..*",
    ),
    (r"py:class", r"_Place|Diff|RunRecord|RunResult|Snapshot"),
]

myst_enable_extensions = ["deflist", "colon_fence"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 3

autodoc_member_order = "groupwise"
autodoc_typehints_format = "short"
default_role = "code"
"""Docstrings write code in single backquotes, as Markdown does."""

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
highlight_language = "text"
smartquotes = False  # they would turn `--raw` in a help text into a dash


def _leave_out_module_docstring(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Leave out the docstrings of modules: the page describes them in its own words."""
    if inspect.ismodule(obj):
        lines.clear()


def setup(app: Sphinx) -> None:
    """Connect what changes docstrings."""
    app.connect("autodoc-process-docstring", _leave_out_module_docstring)
