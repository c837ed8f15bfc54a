"""Write the page: fill `page.html` with panels, styles, scripts and a policy that admits no others.

Jinja escapes every text of the data; scripts run by their hashes alone; the policy blocks the
network. `vega.js`, which draws the charts, is built by `make vega` from tools/vega.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from pipeline._version import __version__
from pipeline.report.page.blocks import Panel

_FOLDER = Path(__file__).parent


def render(
    panels: Sequence[Panel], *, title: str, basis: str, filters: str, standing: str, footer: str
) -> str:
    """Return the page as HTML."""
    css, js, vega = (
        (_FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "page.js", "vega.js")
    )
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        f"form-action 'none'; script-src {_hash(vega)} {_hash(js)}"
    )
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True)
    environment.filters |= {"code": _code, "json": _json}
    return environment.get_template("page.html").render(
        panels=panels,
        policy=policy,
        css=Markup(css),
        js=Markup(js),
        vega=Markup(vega),
        version=__version__,
        title=title,
        basis=basis,
        filters=filters,
        standing=standing,
        footer=footer,
    )


def _code(text: str) -> Markup:
    """Return a text of this program with its `commands` as code elements."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _json(value: Any) -> Markup:
    """Return JSON in which no text can end the script element around it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "&<>\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'"
