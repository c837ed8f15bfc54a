"""Each kind of chart beside the same one by Altair, which validates it by Vega-Lite's schema."""

from typing import Any, get_args

import altair
import pytest

from pipeline.report.figures import Picture
from pipeline.report.page.charts import specification
from pipeline.report.sections import Chart, Kind, all_reports

alt: Any = altair
"""Altair's types spell out every literal of Vega-Lite, which plain names are not."""


def axis(title: str | None, count: int, **options: Any) -> Any:
    return alt.Axis(title=title, tickCount=count, **options)


def tip(field: str, form: str | None = None, **options: Any) -> Any:
    kind = options.pop("type", "quantitative" if form else "nominal")
    options |= {"format": form} if form else {}
    return alt.Tooltip(field, type=kind, title=field.replace("_", " "), **options)


def day_axis(field: str, unit: str, **options: Any) -> Any:
    times = axis(None, 8, labelOverlap=True, **options)
    return alt.X(field, type="temporal", timeUnit=unit, scale=alt.Scale(type="utc"), axis=times)


HISTOGRAM = Picture(
    Chart("columns", "Bins.", x="low", y="articles", high="high", tips=("share",)),
    [
        {"low": 40, "high": 50, "articles": 2, "share": 0.25, "unused": "x"},
        {"low": 50, "high": 60, "articles": 6, "share": 0.75, "unused": "y"},
    ],
)
HISTOGRAM_CHART = (
    alt.Chart()
    .mark_bar()
    .encode(
        x=alt.X("low", type="quantitative", bin="binned", axis=axis("quality", 12)),
        x2="high",
        y=alt.Y("articles", type="quantitative", axis=axis("articles", 6)),
        tooltip=[tip("low", ",d"), tip("articles", ",d"), tip("high", ",d"), tip("share", ".1%")],
    )
    .properties(height=240)
)

INTERVALS = Picture(
    Chart("interval", "Rates.", x="rate", y="topic", low="rate_low", high="rate_high"),
    [
        {"topic": "AI", "rate": 0.5, "rate_low": 0.25, "rate_high": 0.75},
        {"topic": None, "rate": None, "rate_low": None, "rate_high": None},
    ],
)
INTERVALS_CHART = (
    alt.layer(
        alt.Chart()
        .mark_rule(strokeWidth=3, opacity=0.4)
        .encode(
            x=alt.X("rate_low", type="quantitative", axis=axis("rate", 6, format=".0%")),
            x2="rate_high",
        ),
        alt.Chart()
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            x=alt.X(
                "rate",
                type="quantitative",
                scale=alt.Scale(zero=False),
                axis=axis("rate", 6, format=".0%"),
            )
        ),
    )
    .encode(
        y=alt.Y("topic", type="nominal", sort=None, axis=alt.Axis(title=None)),
        tooltip=[
            *(tip("rate", ".1%"), tip("topic")),
            *(tip("rate_low", ".1%"), tip("rate_high", ".1%")),
        ],
    )
    .properties(height=44)
)

NUMBERED = Picture(
    Chart("interval", "Scores.", x="mean", y="quality", low="low", high="high"),
    [{"quality": 50, "mean": 3.5, "low": 3, "high": 4}],
)
NUMBERED_CHART = (
    alt.layer(
        alt.Chart()
        .mark_rule(strokeWidth=3, opacity=0.4)
        .encode(x=alt.X("low", type="quantitative", axis=axis("mean", 6)), x2="high"),
        alt.Chart()
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            x=alt.X("mean", type="quantitative", scale=alt.Scale(zero=False), axis=axis("mean", 6))
        ),
    )
    .encode(
        y=alt.Y("quality", type="nominal", sort=None, axis=alt.Axis(title="quality")),
        tooltip=[tip("mean", ",.1f"), tip("quality", ",d"), tip("low", ",d"), tip("high", ",d")],
    )
    .properties(height=22)
)

MONTHS = Picture(
    Chart("band", "Means.", x="month", y="mean", low="mean_low", high="mean_high", tips=("n",)),
    [{"month": "2024-01-01", "mean": 8.5, "mean_low": 8, "mean_high": 9, "n": 5}],
)


def mean(field: str, **options: Any) -> Any:
    return alt.Y(field, type="quantitative", axis=axis("mean", 6), **options)


LINE_AND_POINTS = (
    alt.Chart().mark_line().encode(y=mean("mean", scale=alt.Scale(zero=False))),
    alt.Chart()
    .mark_point(filled=True, size=40, opacity=1)
    .encode(y=mean("mean", scale=alt.Scale(zero=False))),
)
MONTHS_CHART = (
    alt.layer(
        alt.Chart().mark_area(opacity=0.25).encode(y=mean("mean_low"), y2="mean_high"),
        *LINE_AND_POINTS,
    )
    .encode(
        x=day_axis("month", "utcyearmonth", format="%b %Y"),
        tooltip=[
            tip("month", type="temporal", timeUnit="utcyearmonth"),
            *(tip("mean", ",.1f"), tip("mean_low", ",d"), tip("mean_high", ",d")),
            alt.Tooltip("n", type="quantitative", title="points", format=",d"),
        ],
    )
    .properties(height=240)
)

LINE = Picture(
    Chart("band", "Means.", x="day", y="mean"),
    [{"day": "2024-01-01", "mean": 8.5}],
)
LINE_CHART = (
    alt.layer(*LINE_AND_POINTS)
    .encode(
        x=day_axis("day", "utcyearmonthdate"),
        tooltip=[tip("day", type="temporal", timeUnit="utcyearmonthdate"), tip("mean", ",.1f")],
    )
    .properties(height=240)
)

TOPICS = Picture(
    Chart("lines", "Shares.", x="week", y="share", series="topic"),
    [{"week": "2024-01-01", "share": 0.5, "topic": "AI"}],
)
TOPICS_CHART = (
    alt.Chart()
    .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=14))
    .encode(
        x=day_axis("week", "utcyearmonthdate"),
        y=alt.Y("share", type="quantitative", axis=axis("share", 6, format=".0%")),
        color=alt.Color(
            "topic",
            type="nominal",
            sort=None,
            legend=alt.Legend(title=None, orient="top", columns=3, labelLimit=160),
        ),
        tooltip=[
            tip("topic"),
            tip("week", type="temporal", timeUnit="utcyearmonthdate"),
            tip("share", ".1%"),
        ],
    )
    .properties(height=240)
)

FIELDS = Picture(
    Chart("heatmap", "Completeness.", x="field_name", y="outlet", color="share"),
    [
        {"field_name": "title", "outlet": "A", "share": 1.0},
        {"field_name": "title", "outlet": "B", "share": 0.0},
        {"field_name": "url", "outlet": "B", "share": 0.5},
    ],
)
FIELDS_CHART = (
    alt.Chart()
    .mark_rect()
    .encode(
        x=alt.X(
            "field_name",
            type="ordinal",
            sort=None,
            axis=alt.Axis(title="field name", labelOverlap=True, labelLimit=110),
        ),
        y=alt.Y("outlet", type="nominal", sort=None, axis=alt.Axis(title=None, labelLimit=150)),
        color=alt.Color(
            "share",
            type="quantitative",
            legend=alt.Legend(title="share", orient="top", format=".0%"),
        ),
        tooltip=[tip("field_name"), tip("outlet"), tip("share", ".1%")],
    )
    .properties(height=44)
)

SCORES = Picture(
    Chart("scatter", "Scores.", x="quality", y="heat", color="articles"),
    [{"quality": 50, "heat": 90, "articles": 3}, {"quality": 60, "heat": 60, "articles": 1}],
)
SCORES_CHART = (
    alt.layer(
        alt.Chart(
            alt.Data(values=[{"quality": 0, "heat": 0}, {"quality": 90, "heat": 90}])
        ).mark_line(strokeDash=[4, 4], strokeWidth=1, opacity=0.6),
        alt.Chart()
        .mark_circle(opacity=0.6)
        .encode(
            size=alt.Size(
                "articles",
                type="quantitative",
                legend=alt.Legend(title="articles", orient="top"),
            ),
            tooltip=[tip("quality", ",d"), tip("heat", ",d"), tip("articles", ",d")],
        ),
    )
    .encode(
        x=alt.X("quality", type="quantitative", axis=axis("quality", 6)),
        y=alt.Y("heat", type="quantitative", axis=axis("heat", 6)),
    )
    .properties(height=300)
)

LIVES = Picture(
    Chart("panels", "Lives.", x="days", y="excess", series="article"),
    [
        {"article": "2. B", "days": 0.5, "excess": 9},
        {"article": "1. A", "days": 0, "excess": 5},
        {"article": "2. B", "days": 2, "excess": 0},
    ],
)
LIVES_CHART = (
    alt.layer(
        alt.Chart().mark_area(interpolate="step-after", opacity=0.2),
        alt.Chart().mark_line(interpolate="step-after", strokeWidth=1.5),
        data=alt.Data(values=LIVES.records),
    )
    .encode(
        x=alt.X("days", type="quantitative", axis=axis("days", 4)),
        y=alt.Y("excess", type="quantitative", axis=axis(None, 3, format="d")),
        tooltip=[tip("article"), tip("days", ",.1f"), tip("excess", ",d")],
    )
    .properties(height=90)
    .facet(
        facet=alt.Facet(
            "article",
            type="nominal",
            sort=["2. B", "1. A"],
            header=alt.Header(title=None, labelAnchor="start", labelLimit=200),
        ),
        columns=3,
    )
)

CURVE = Picture(
    Chart(
        "survival", "Lasting.", x="hours", y="survival", low="low", high="high", color="censored"
    ),
    [{"hours": 1.5, "survival": 0.5, "low": 0.25, "high": 0.75, "censored": 1}],
)


def survival(field: str, **options: Any) -> Any:
    percent = axis("survival", 6, format=".0%")
    return alt.Y(field, type="quantitative", axis=percent, **options)


CURVE_CHART = (
    alt.layer(
        alt.Chart()
        .mark_area(interpolate="step-after", opacity=0.2)
        .encode(y=survival("low"), y2="high"),
        alt.Chart()
        .mark_line(interpolate="step-after")
        .encode(y=survival("survival", scale=alt.Scale(domain=[0, 1]))),
        alt.Chart()
        .mark_point(shape="stroke", angle=90, size=90, strokeWidth=1.5, opacity=1)
        .transform_filter(alt.FieldGTPredicate(field="censored", gt=0))
        .encode(y=survival("survival", scale=alt.Scale(domain=[0, 1]))),
    )
    .encode(
        x=alt.X("hours", type="quantitative", axis=axis("hours", 8)),
        tooltip=[
            *(tip("hours", ",.1f"), tip("survival", ".1%")),
            *(tip("low", ",.1f"), tip("high", ",.1f"), tip("censored", ",d")),
        ],
    )
    .properties(height=240)
)

CHARTS = [
    (HISTOGRAM, HISTOGRAM_CHART),
    (INTERVALS, INTERVALS_CHART),
    (NUMBERED, NUMBERED_CHART),
    (MONTHS, MONTHS_CHART),
    (LINE, LINE_CHART),
    (TOPICS, TOPICS_CHART),
    (FIELDS, FIELDS_CHART),
    (SCORES, SCORES_CHART),
    (LIVES, LIVES_CHART),
    (CURVE, CURVE_CHART),
]


@pytest.mark.parametrize(("picture", "chart"), CHARTS)
def test_a_chart_is_as_altair_writes_it(picture: Picture, chart: Any) -> None:
    fields = [{k: v for k, v in record.items() if k != "unused"} for record in picture.records]
    if picture.chart.kind != "panels":
        chart = chart.properties(data=alt.Data(values=fields), width="container")
    expected = chart.properties(description=picture.chart.about).to_dict()
    del expected["$schema"], expected["config"]
    assert specification(picture) == expected


def test_every_kind_of_chart_is_tested_and_used() -> None:
    kinds = set(get_args(Kind))
    assert {picture.chart.kind for picture, _ in CHARTS} == kinds
    charts = [section.chart for report in all_reports().values() for section in report.sections]
    assert {chart.kind for chart in charts if chart} == kinds
