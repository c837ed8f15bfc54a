"""The dictionary as one HTML page that needs nothing from elsewhere."""

from collections.abc import Sequence

from jinja2 import Environment

from pipeline.dictionary import Entry
from pipeline.dictionary.shown import COLUMNS, OVERVIEW, about, columns, overview, without_empty

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { margin: 0 auto; max-width: 76rem; padding: 1rem }
div { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #8886; padding: .25rem .6rem .25rem 0; text-align: left; vertical-align: top }
td:first-child, td:nth-child(2), pre { font-family: ui-monospace, monospace; font-size: .88em }
pre { overflow-x: auto; padding: .6rem; border: 1px solid #8886 }
h2 { margin-top: 2.5rem }
</style>
<h1>{{ title }}</h1>
{% macro listing(names, rows, linked) %}
<div tabindex="0"><table>
<thead><tr>{% for name in names %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr>
{%- for cell in row %}<td>{% if linked and loop.first %}<a href="#{{ cell }}">{{ cell }}</a>{% else %}{{ cell }}{% endif %}</td>
{%- endfor %}</tr>
{% endfor %}
</tbody>
</table></div>
{% endmacro %}
{% if sections|length > 1 %}{{ listing(overview_names, overview_rows, true) }}{% endif %}
{% for section in sections %}
<section id="{{ section.name }}">
{% if sections|length > 1 %}<h2>{{ section.name }}</h2>{% endif %}
{% for line in section.lines %}<p>{{ line }}</p>
{% endfor %}
{{ listing(section.names, section.rows, false) }}
{% if section.source %}<details{% if sections|length == 1 %} open{% endif %}><summary>SQL</summary>
<pre>{{ section.source }}</pre></details>{% endif %}
</section>
{% endfor %}
</html>
"""


def page(found: Sequence[Entry]) -> str:
    """Tables and views with their columns and SQL; all text is escaped, and the page may load nothing."""
    sections = []
    for one in found:
        names, rows = without_empty(COLUMNS, columns(one))
        sections.append({"name": one.name, "lines": about(one), "names": names, "rows": rows, "source": one.source})
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_PAGE)
    title = f"Data dictionary: {found[0].name}" if len(found) == 1 else "Data dictionary"
    return template.render(title=title, sections=sections, overview_names=OVERVIEW, overview_rows=overview(found)) + "\n"
