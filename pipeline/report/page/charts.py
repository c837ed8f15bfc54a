"""Draw charts: fill the Vega-Lite template of a chart with the fields and rows of a picture.

The templates lie in `charts.json`, one for each kind; `$name` stands for a value that depends on
the picture. The page adds colours and fonts. Reference: https://vega.github.io/vega-lite/docs/
"""

import json
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from pipeline.report.figures import Picture
from pipeline.report.words import is_share, label

_TEMPLATES = json.loads(Path(__file__).with_name("charts.json").read_text(encoding="utf-8"))
_TIME_UNITS = {"day": "utcyearmonthdate", "week": "utcyearmonthdate", "month": "utcyearmonth"}
"""Fields that hold days, and their precision; read in UTC, whatever the reader's time zone."""
_ROW_HEIGHT = 22
"""Pixels of a row of an interval chart or heatmap."""
_ABSENT = object()


def specification(picture: Picture) -> dict[str, Any]:
    """Return the Vega-Lite specification of a chart, as wide as the element that holds it.

    Its data are the picture's records, with only the fields that the chart encodes.
    """
    chart = picture.chart
    records = [{name: record[name] for name in chart.fields()} for record in picture.records]
    spec: dict[str, Any] = {"description": chart.about, "data": {"values": records}}
    spec |= _filled(_TEMPLATES[chart.kind], _values(picture))
    if chart.kind == "band" and not chart.low:
        del spec["layer"][0]
    if chart.kind != "panels":  # the page sizes panels, and puts as many in a row as there is room
        spec["width"] = "container"
    return spec


def _values(picture: Picture) -> dict[str, Any]:
    """Return the values of a template's `$names`; a name without one is left out."""
    chart, records = picture.chart, picture.records
    values: dict[str, Any] = asdict(chart) | {
        "x_title": label(chart.x),
        "y_title": label(chart.y),
        "color_title": label(chart.color or ""),
        "row_title": None if _type(picture, chart.y) == "nominal" else label(chart.y),
        "rows_height": len({record[chart.y] for record in records}) * _ROW_HEIGHT,
        "tooltip": [_tooltip_line(picture, field) for field in chart.fields()],
    }
    for channel, field in (("x", chart.x), ("y", chart.y), ("color", chart.color)):
        if field and is_share(field):
            values[f"{channel}_percent"] = ".0%"
    if chart.x in _TIME_UNITS:
        values["time_unit"] = _TIME_UNITS[chart.x]
    if chart.x == "month":  # Vega chooses the format of days
        values["time_format"] = "%b %Y"
    if chart.kind == "panels":
        series = dict.fromkeys(record[chart.series or ""] for record in records)
        values["series_values"] = list(series)
    if chart.kind == "scatter":
        end = max(record[field] for record in records for field in (chart.x, chart.y))
        values["diagonal"] = [{chart.x: value, chart.y: value} for value in (0, end)]
    return values


def _filled(template: Any, values: dict[str, Any]) -> Any:
    if isinstance(template, dict):
        parts = {key: _filled(part, values) for key, part in template.items()}
        return {key: part for key, part in parts.items() if part is not _ABSENT}
    if isinstance(template, list):
        return [_filled(part, values) for part in template]
    if isinstance(template, str) and template.startswith("$"):
        return values.get(template[1:], _ABSENT)
    return template


def _type(picture: Picture, field: str) -> str:
    """Return a field's type of measurement, judged by its first value that is not null."""
    if field in _TIME_UNITS and picture.chart.kind in ("band", "lines"):
        return "temporal"
    values = (record[field] for record in picture.records)
    value = next((value for value in values if value is not None), None)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "quantitative" if is_number else "nominal"


def _tooltip_line(picture: Picture, field: str) -> dict[str, Any]:
    line = {"field": field, "type": _type(picture, field), "title": label(field)}
    if line["type"] == "temporal":
        return line | {"timeUnit": _TIME_UNITS[field]}
    if line["type"] == "nominal":
        return line
    if is_share(field):
        return line | {"format": ".1%"}
    values = (record[field] for record in picture.records)
    is_whole = all(value is None or isinstance(value, int) for value in values)
    return line | {"format": ",d" if is_whole else ",.1f"}
