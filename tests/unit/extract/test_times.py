"""Times and days as front matter has them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract.times import parse_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-06-03T21:51:00Z", dt.datetime(2021, 6, 3, 21, 51, tzinfo=dt.UTC)),
        ("2021-06-03t23:51:00.5+02:00", dt.datetime(2021, 6, 3, 21, 51, 0, 500_000, dt.UTC)),
        ("2021-06-03 21:51:00 -5", dt.datetime(2021, 6, 4, 2, 51, tzinfo=dt.UTC)),
        ("2021-6-3", dt.datetime(2021, 6, 3)),
        ("2021-06-03T21:51", dt.datetime(2021, 6, 3, 21, 51)),
        ("2021-02-29", None),
        ("2021-13-01", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("June 3, 2021", None),
        ("20210603", None),
        ("", None),
    ],
)
def test_moments(text: str, moment: dt.datetime | None) -> None:
    assert parse_moment(text) == moment


@given(
    st.datetimes(
        min_value=dt.datetime(2, 1, 1), max_value=dt.datetime(9998, 1, 1), timezones=st.just(dt.UTC)
    )
)
def test_a_moment_written_as_iso_is_read_back(moment: dt.datetime) -> None:
    assert parse_moment(moment.isoformat()) == moment
    assert parse_moment(moment.isoformat().replace("+00:00", "Z")) == moment


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_moments(text: str) -> None:
    moment = parse_moment(text)
    assert moment is None or 1 <= moment.year <= 9999
