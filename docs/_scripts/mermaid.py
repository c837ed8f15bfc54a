"""A Sphinx extension that draws Mermaid blocks while the site is built.

So the pages need no script from elsewhere. On the repository's host the same blocks are drawn by
Mermaid itself.
"""

from docutils import nodes
from docutils.parsers.rst import Directive
from flowchart import draw
from sphinx.application import Sphinx


class Mermaid(Directive):
    """The directive `mermaid`: its content as SVG."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the chart as one node of HTML."""
        return [nodes.raw("", draw("\n".join(self.content)), format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
