"""Canonical URLs: one page has one, whatever address it is given by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform import urls


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
