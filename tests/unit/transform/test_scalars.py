"""Single values: identities, slugs, lengths of `secured`."""

from pipeline.transform import scalars


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
