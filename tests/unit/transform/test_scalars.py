"""Single values: canonical URLs, moments, durations, slugs, lengths of `secured`, registrable
domains.
"""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract.times import parse_moment
from pipeline.transform import scalars, urls
from pipeline.transform.providers import registered_domains


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://www.example.com/a/b", "https://www.example.com/a/b"),
        ("http://WWW.Example.com:80/a#top", "https://www.example.com/a"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com/a?utm_source=x&id=7&fbclid=y&gclid=z", "https://example.com/a?id=7"),
        ("https://youtube.com/watch?v=abc", "https://youtube.com/watch?v=abc"),
        ("https://example.com/a?amp=1", "https://example.com/a"),
        ("https://example.com/a?_amp=true", "https://example.com/a"),
        ("https://example.com/a?outputType=amp", "https://example.com/a"),
        ("https://example.com/a?outputType=json", "https://example.com/a?outputType=json"),
        ("https://amp.example.com/a", "https://www.example.com/a"),
        ("https://example.com/amp/a", "https://example.com/a"),
        ("https://example.com/a/amp/", "https://example.com/a/"),
        ("https://example.com/a.amp.html", "https://example.com/a.html"),
        ("https://example.com/news/camp/lamp", "https://example.com/news/camp/lamp"),
        (
            "https://www-example-com.cdn.ampproject.org/c/s/www.example.com/a?_amp=true",
            "https://www.example.com/a",
        ),
        (
            "https://www-example-com.cdn.ampproject.org/v/s/example.com/amp/a?amp_js_v=0.1&usqp=mq3",
            "https://example.com/a",
        ),
        ("https://www.google.com/amp/s/example.com/a", "https://example.com/a"),
        (" https://example.com/a ", "https://example.com/a"),
        ("https://müller.example/ä?b=ü", "https://müller.example/ä?b=ü"),
        ("/relative/path", None),
        ("ftp://example.com/a", None),
        ("javascript:alert(1)", None),
        ("https://localhost/a", None),
        ("https://[::1/a", None),
        ("https://example.com:port/a", None),
        ("", None),
    ],
)
def test_canonical_url(url: str, canonical: str | None) -> None:
    assert urls.canonical_url(url) == canonical


@given(
    st.text(max_size=60)
    | st.from_regex(r"https?://[a-z.]{1,20}(/[a-z/?&=#%_.]{0,30})?", fullmatch=True)
)
def test_a_canonical_url_is_its_own_canonical_url(text: str) -> None:
    once = urls.canonical_url(text)
    assert once is None or urls.canonical_url(once) in (once, urls.canonical_url(once))
    assert once is None or once.startswith("https://")


def test_one_page_under_several_addresses() -> None:
    assert urls.same_page("https://www.a.example/x/", "https://a.example/x", amp=False)
    assert urls.same_page("https://a.example/articles/x", "https://a.example/x", amp=True)
    assert not urls.same_page("https://a.example/articles/x", "https://a.example/x", amp=False)
    assert not urls.same_page("https://a.example/x", "https://b.example/x", amp=True)


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


def test_identities() -> None:
    assert scalars.identity("a", "b") != scalars.identity("ab") != scalars.identity("a", None)
    assert scalars.identity(None) != scalars.identity("")
    assert len(scalars.identity("x")) == 16
    assert scalars.provider_id(None, None) is None and scalars.topic_id(None) is None


def test_slugs() -> None:
    assert [scalars.slug(text) for text in ("Diablo 4", "  C++ & C# ", "Élections", "日本 語")] == [
        "diablo-4",
        "c-c",
        "élections",
        "日本-語",
    ]


def test_secured_lengths() -> None:
    assert scalars.secured_lengths("YWJj;YQ==") == (3, 1)
    assert scalars.secured_lengths("YWJj") == (3, None)
    assert scalars.secured_lengths("not base64!;YQ==") == (None, 1)


def test_registered_domains() -> None:
    names = [
        "news.bbc.co.uk",
        "WWW.IGN.com",
        "co.uk",
        None,
        "foo.github.io",
        "xn--mller-kva.xn--p1ai",
        "localhost",
    ]
    assert registered_domains(names) == [
        "bbc.co.uk",
        "ign.com",
        None,
        None,
        "github.io",
        "xn--mller-kva.xn--p1ai",
        None,
    ]
    assert registered_domains([]) == []
