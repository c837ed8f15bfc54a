"""Settings of the documentation site. Nothing is fetched while it is built."""

import gc
import sys
from pathlib import Path

from docutils.nodes import Element
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

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
        r"(collections|contextlib|datetime|duckdb|msgspec|os|pathlib|typing)\..*"
        r"|(pandas|pd|polars|pl|pyarrow|pa)\..*",
    ),
    # What is not public, and annotations that autodoc cuts at a comma.
    (r"py:class", r"pipeline\.(load|query|runs|schema)\..*|(dict|tuple)\[str"),
    # Aliases of the package, and type variables, which have no entry of their own.
    (r"py:.*", r"(pipeline\.)?(At|Frame|Id|Kind|PathLike|TypeAliasForwardRef|\w+(Options|Values))"),
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


def _resolve_short_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: Element
) -> Element | None:
    """Link an unqualified name of an annotation, such as `Diff`, to the public one."""
    name = f"pipeline.{str(node['reftarget']).rpartition('.')[2]}"
    domain = env.domains.python_domain
    if node.get("refdomain") != "py" or name not in domain.objects:
        return None
    page = domain.objects[name].docname
    source = str(node["refdoc"])
    return make_refnode(app.builder, source, page, name, contnode)


def setup(app: Sphinx) -> None:
    """Connect what resolves names."""
    app.connect("missing-reference", _resolve_short_name)
