"""Charts: a picture's rows as a Vega-Lite specification, made with Altair. Colours and fonts are the page's."""

from typing import Any

import altair

from pipeline.report.figures import Picture
from pipeline.report.words import is_share, label

alt: Any = altair
"""Its types spell out every literal, which names from our own tables do not."""
_TIMES = {"day": "utcyearmonthdate", "week": "utcyearmonthdate", "month": "utcyearmonth"}
"""Fields that are days, and how exactly they are read: always in UTC, wherever the reader is."""
_HEIGHT = 240
_PANEL = 90
_STEP = 22
"""Pixels of a row of an interval or heatmap chart."""


def specification(picture: Picture) -> dict[str, Any]:
    """The Vega-Lite specification, as wide as the element that it is put into."""
    draw = {
        "columns": _columns,
        "interval": _interval,
        "band": _band,
        "lines": _lines,
        "heatmap": _heatmap,
        "scatter": _scatter,
        "panels": _panels,
        "survival": _survival,
    }[picture.chart.kind]
    drawn = draw(picture).properties(description=picture.chart.about)
    if (
        picture.chart.kind != "panels"
    ):  # the page says how wide a panel is, and how many stand side by side
        drawn = drawn.properties(width="container")
    spec: dict[str, Any] = drawn.to_dict()
    spec.pop("$schema", None)
    spec.pop("config", None)
    return spec


def _base(picture: Picture) -> Any:
    return _drawn(picture.records)


def _drawn(records: list[dict[str, Any]]) -> Any:
    return alt.Chart(alt.Data(values=records))


def _rows(picture: Picture) -> int:
    return len({record[picture.chart.y] for record in picture.records})


def _kind(picture: Picture, field: str) -> str:
    if field in _TIMES and picture.chart.kind in ("band", "lines"):
        return "temporal"
    known = (record[field] for record in picture.records if record[field] is not None)
    value = next(known, "")
    return (
        "quantitative"
        if isinstance(value, (int, float)) and not isinstance(value, bool)
        else "nominal"
    )


def _tips(picture: Picture) -> list[Any]:
    chart = picture.chart
    names = (chart.series, chart.x, chart.y, chart.low, chart.high, chart.color, *chart.tips)
    return [_tip(picture, name) for name in dict.fromkeys(name for name in names if name)]


def _tip(picture: Picture, name: str) -> Any:
    kind = _kind(picture, name)
    if kind == "temporal":
        return alt.Tooltip(name, type=kind, timeUnit=_TIMES[name], title=label(name))
    if kind == "quantitative":
        return alt.Tooltip(name, type=kind, title=label(name), format=_number_format(picture, name))
    return alt.Tooltip(name, type=kind, title=label(name))


def _number_format(picture: Picture, name: str) -> str:
    if is_share(name):
        return ".1%"
    return (
        ",d"
        if all(
            isinstance(record[name], int) for record in picture.records if record[name] is not None
        )
        else ",.1f"
    )


def _value(cls: Any, name: str, title: str | None = None, **options: Any) -> Any:
    """A channel of numbers, named after its field or after `title`."""
    percent = {"format": ".0%"} if is_share(name) else {}
    return cls(
        name,
        type="quantitative",
        axis=alt.Axis(title=label(title or name), tickCount=6, **percent),
        **options,
    )


def _time(name: str) -> Any:
    form = {"format": "%b %Y"} if name == "month" else {}  # days find their own form
    axis = alt.Axis(title=None, labelOverlap=True, tickCount=8, **form)
    return alt.X(
        name, type="temporal", timeUnit=_TIMES[name], scale=alt.Scale(type="utc"), axis=axis
    )


def _columns(picture: Picture) -> Any:
    chart = picture.chart
    x = alt.X(
        chart.x, type="quantitative", bin="binned", axis=alt.Axis(title="quality", tickCount=12)
    )
    y = _value(alt.Y, chart.y)
    return (
        _base(picture)
        .mark_bar()
        .encode(x=x, x2=chart.high, y=y, tooltip=_tips(picture))
        .properties(height=_HEIGHT)
    )


def _interval(picture: Picture) -> Any:
    chart = picture.chart
    y = alt.Y(
        chart.y,
        type="nominal",
        sort=None,
        axis=alt.Axis(title=None if _kind(picture, chart.y) == "nominal" else label(chart.y)),
    )
    x = _value(alt.X, chart.x, scale=alt.Scale(zero=False))
    base = _base(picture).encode(y=y, tooltip=_tips(picture))
    rule = base.mark_rule(strokeWidth=3, opacity=0.4).encode(
        x=_value(alt.X, chart.low or chart.x, chart.x), x2=chart.high
    )
    point = base.mark_point(filled=True, size=70, opacity=1).encode(x=x)
    return alt.layer(rule, point).properties(height=_rows(picture) * _STEP)


def _band(picture: Picture) -> Any:
    chart = picture.chart
    base = _base(picture).encode(x=_time(chart.x), tooltip=_tips(picture))
    y = _value(alt.Y, chart.y, scale=alt.Scale(zero=False))
    layers: list[Any] = []
    if chart.low and chart.high:
        layers.append(
            base.mark_area(opacity=0.25).encode(y=_value(alt.Y, chart.low, chart.y), y2=chart.high)
        )
    layers += [
        base.mark_line().encode(y=y),
        base.mark_point(filled=True, size=40, opacity=1).encode(y=y),
    ]
    return alt.layer(*layers).properties(height=_HEIGHT)


def _lines(picture: Picture) -> Any:
    chart = picture.chart
    color = alt.Color(
        chart.series,
        type="nominal",
        sort=None,
        legend=alt.Legend(title=None, orient="top", columns=3, labelLimit=160),
    )
    y = _value(alt.Y, chart.y)
    return (
        _base(picture)
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=14))
        .encode(x=_time(chart.x), y=y, color=color, tooltip=_tips(picture))
        .properties(height=_HEIGHT)
    )


def _heatmap(picture: Picture) -> Any:
    chart = picture.chart
    x = alt.X(
        chart.x,
        type="ordinal",
        sort=None,
        axis=alt.Axis(title=label(chart.x), labelOverlap=True, labelLimit=110),
    )
    y = alt.Y(chart.y, type="nominal", sort=None, axis=alt.Axis(title=None, labelLimit=150))
    measure = chart.color or ""
    percent = {"format": ".0%"} if is_share(measure) else {}
    color = alt.Color(
        measure,
        type="quantitative",
        legend=alt.Legend(title=label(measure), orient="top", **percent),
    )
    rect = _base(picture).mark_rect().encode(x=x, y=y, color=color, tooltip=_tips(picture))
    return rect.properties(height=_rows(picture) * _STEP)


def _scatter(picture: Picture) -> Any:
    chart = picture.chart
    ends = [record[name] for record in picture.records for name in (chart.x, chart.y)]
    line = _drawn([{chart.x: 0, chart.y: 0}, {chart.x: max(ends), chart.y: max(ends)}])
    measure = chart.color or ""
    size = alt.Size(
        measure, type="quantitative", legend=alt.Legend(title=label(measure), orient="top")
    )
    x, y = _value(alt.X, chart.x), _value(alt.Y, chart.y)
    points = (
        _base(picture).mark_circle(opacity=0.6).encode(x=x, y=y, size=size, tooltip=_tips(picture))
    )
    same = line.mark_line(strokeDash=[4, 4], strokeWidth=1, opacity=0.6).encode(x=x, y=y)
    return alt.layer(same, points).properties(height=_HEIGHT + 60)


def _panels(picture: Picture) -> Any:
    chart = picture.chart
    x = alt.X(chart.x, type="quantitative", axis=alt.Axis(title=label(chart.x), tickCount=4))
    y = alt.Y(chart.y, type="quantitative", axis=alt.Axis(title=None, tickCount=3, format="d"))
    base = alt.Chart().encode(x=x, y=y, tooltip=_tips(picture)).properties(height=_PANEL)
    layers = alt.layer(
        base.mark_area(interpolate="step-after", opacity=0.2),
        base.mark_line(interpolate="step-after", strokeWidth=1.5),
        data=alt.Data(values=picture.records),
    )
    names = list(
        dict.fromkeys(record[chart.series or ""] for record in picture.records)
    )  # facets are sorted unless told otherwise
    header = alt.Header(title=None, labelAnchor="start", labelLimit=200)
    return layers.facet(
        facet=alt.Facet(chart.series, type="nominal", sort=names, header=header), columns=3
    )


def _survival(picture: Picture) -> Any:
    chart = picture.chart
    x = alt.X(chart.x, type="quantitative", axis=alt.Axis(title=label(chart.x), tickCount=8))
    y = _value(alt.Y, chart.y, scale=alt.Scale(domain=[0, 1]))
    base = _base(picture).encode(x=x, tooltip=_tips(picture))
    censored = _drawn([record for record in picture.records if record[chart.color or ""]])
    ticks = censored.mark_point(shape="stroke", angle=90, size=90, strokeWidth=1.5, opacity=1)
    return alt.layer(
        base.mark_area(interpolate="step-after", opacity=0.2).encode(
            y=_value(alt.Y, chart.low or chart.y, chart.y), y2=chart.high
        ),
        base.mark_line(interpolate="step-after").encode(y=y),
        ticks.encode(x=x, y=y, tooltip=_tips(picture)),
    ).properties(height=_HEIGHT)
