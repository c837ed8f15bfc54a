"""Write the page: fill `page.html` with panels, styles, scripts and a policy that admits no others.

Jinja escapes every text of the data; scripts run by their hashes alone; the policy blocks the
network. `vega.js`, which draws the charts, is built by `make vega` from tools/vega.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from pipeline._version import __version__
from pipeline.load.manifest import Manifest
from pipeline.report.figures import Basis
from pipeline.report.page.blocks import Panel
from pipeline.report.page.charts import specification
from pipeline.report.words import display_text

_FOLDER = Path(__file__).parent


def render(panels: Sequence[Panel], basis: Basis, manifest: Manifest) -> str:
    """Return the page as HTML."""
    names = ("page.css", "page.js", "vega.js")
    css, js, vega = (Markup((_FOLDER / name).read_text(encoding="utf-8")) for name in names)
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        f"form-action 'none'; script-src {_hash(vega)} {_hash(js)}"
    )
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True)
    environment.filters |= {"code": _code, "json": _json, "specification": specification}
    environment.filters |= {"text": partial(display_text, ""), "share": _share}
    template = environment.get_template("page.html")
    values = {"panels": panels, "policy": policy, "css": css, "js": js, "vega": vega}
    return template.render(values, version=__version__, basis=basis, manifest=manifest)


def _share(part: int, whole: int) -> str:
    return display_text("share", part / whole) if whole else "–"


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
