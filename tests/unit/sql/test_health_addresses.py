"""Defects of addresses: canonical URLs, AMP addresses and hosts of providers."""

import duckdb
import pytest

from pipeline.transform.urls import TRACKING, canonical_url
from pipeline.views.relations import relations


def defects_of(urls: list[str], provider: str | None = None) -> set[tuple[str, str]]:
    """Return rule and URL of what `url_defects` finds; each URL is an article's originalUrl."""
    [relation] = [relation for relation in relations("views") if relation.name == "url_defects"]
    rows = [(str(at), "p", canonical_url(url), url) for at, url in enumerate(urls)]
    with duckdb.connect() as connection:
        connection.execute(
            "create table articles (article_id varchar, provider_id varchar, url varchar,"
            " original_url varchar, web_url varchar,"
            " amp_url varchar, cdn_amp_url varchar); create table related as select *,"
            " 1::bigint as position from articles;"
            " create table providers as select 'p' as provider_id, $domain::varchar as"
            " registered_domain",
            {"domain": provider},
        )
        connection.executemany(
            "insert into articles (article_id, provider_id, url, original_url) values ($1, $2,"
            " $3, $4)",
            rows,
        )
        return set(connection.execute(f"select rule, url from ({relation.query})").fetchall())


@pytest.mark.parametrize(
    "name",
    [
        "utm_source",
        "UTM_x",
        "ns_mchannel",
        "at_medium",
        "at_custom1",
        "fbclid",
        "gclid",
        "ttclid",
        "msclkid",
        "igsh",
        "mc_cid",
        "_hsenc",
        "vero_id",
        "oly_enc_id",
        "guce_referrer_sig",
        "ref_src",
        "s_cid",
        "ito",
        "spm",
        "sr_share",
        "__twitter_impression",
        "id",
        "ref",
        "page",
        "utm",
        "amp_id",
        "xfbclid",
        "fbclidx",
        "at_custom",
        "itoo",
    ],
)
def test_tracking_is_what_canonical_urls_leave_out(name: str) -> None:
    urls = [
        f"https://x.com/a?{name}=1",
        f"https://x.com/a?b=2&{name}#top",
        f"https://x.com/{name}=1",
    ]
    found = {url for rule, url in defects_of(urls) if rule == "tracking"}
    assert found == (set(urls[:2]) if TRACKING.fullmatch(name) else set())


@pytest.mark.parametrize(
    ("url", "is_amp"),
    [
        ("https://amp.x.com/a", True),
        ("https://amp-cdn.x.com/a", True),
        ("https://www.amp.x.com/a", True),
        ("https://x-com.cdn.ampproject.org/c/s/x.com/a", True),
        ("https://a.bing-amp.com/c/s/x.com/a", True),
        ("https://www.google.co.uk/amp/s/x.com/a", True),
        ("https://x.com/a/amp", True),
        ("https://x.com/amp/a", True),
        ("https://x.com/amp-stories/a", True),
        ("https://x.com/a.amp", True),
        ("https://x.com/a.amp.html", True),
        ("https://x.com/a?b=/amp/", False),
        ("https://camp.x.com/champ/a", False),
        ("https://x.com/amplifier", False),
        ("https://x.com/the-best-amp-ever", False),
    ],
)
def test_what_counts_as_an_amp_address(url: str, is_amp: bool) -> None:
    assert (("amp_as_original", url) in defects_of([url])) == is_amp
    assert (canonical_url(url) != url) == is_amp


def test_a_host_is_held_against_the_registered_domain_by_whole_labels() -> None:
    urls = [
        "https://x.com/a",
        "https://a.b.x.com:8080/a",
        "https://notx.com/a",
        "https://x.com.evil.net/a",
    ]
    assert {url for rule, url in defects_of(urls, "x.com") if rule == "domain_mismatch"} == set(
        urls[2:]
    )
    assert not {rule for rule, _ in defects_of(urls)} & {"domain_mismatch"}
