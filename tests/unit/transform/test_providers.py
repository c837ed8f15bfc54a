"""Registrable domains of providers."""

from pipeline.transform.providers import registered_domains


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
