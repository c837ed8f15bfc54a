"""Bytes to documents: fences, syntaxes, both paths, and that nothing makes the reader fall over."""

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract import coerce, frontmatter
from pipeline.schema.documents import Article, Document, Rejection, SourceFile
from pipeline.schema.positions import Positions
from pipeline.transform.documents import transform
from tests.support.bad_input import REJECTED, REPAIRED


def document(raw: bytes | str) -> Document:
    found = frontmatter.read(raw.encode() if isinstance(raw, str) else raw)
    assert isinstance(found, Document), found
    return found


def article(raw: bytes | str) -> Article:
    found = document(raw).article
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        ("---\ntitle: a\n---\nBody\n", "Body"),
        ("---\ntitle: a\n---", ""),
        ("---  \ntitle: a\n--- \t\nBody", "Body"),
        ("---\ntitle: a\nexcerpt: |\n  ---\n  text\n---\nBody\n---\nmore\n", "Body\n---\nmore"),
        ("---\ntitle: a\n#---\n----\n---\n\n<p>x</p>\n", None),
        ("---\ntitle: '---'\n---\n", ""),
        ("+++\ntitle = 'a'\n+++\nBody", "Body"),
        ('{\n"title": "a"\n}\nBody', "Body"),
    ],
)
def test_fences(raw: str, body: str | None) -> None:
    found = frontmatter.read(raw.encode())
    if body is None:
        assert isinstance(
            found, Rejection
        )  # `----` is no fence, and as YAML it is not right either
    else:
        assert (
            isinstance(found, Document)
            and found.body == body
            and found.article
            and found.article.title in ("a", "---")
        )


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "# Title\n",
        "\n---\ntitle: a\n---\n",
        "----\n",
        "text --- text",
        "{ not json",
        "<html></html>",
    ],
)
def test_files_without_front_matter(raw: str) -> None:
    found = document(raw)
    assert (found.format, found.article, found.metadata) == (None, None, None)


def test_empty_front_matter_is_another_document() -> None:
    assert document("---\n---\nBody\n").metadata == {}
    assert document("---\n# only a comment\n---\n").metadata == {}


def test_a_title_makes_an_article() -> None:
    assert document("---\ntitle:\n---\n").article == Article()
    found = document("---\nname: Ada\nsecured: s3cret\n---\n")
    assert found.article is None and found.metadata == {"name": "Ada"}


def test_toml_and_json_say_the_same_as_yaml() -> None:
    as_yaml = article(
        '---\ntitle: "2020"\npublishedDateTime: 2024-04-01T08:00:00Z\nquality: 61\ntopics:'
        " [Space]\nprovider: {name: N}\n---\n"
    )
    as_toml = article(
        "+++\ntitle = 2020\npublishedDateTime = 2024-04-01T08:00:00Z\nquality = 61\ntopics ="
        ' ["Space"]\n[provider]\nname = "N"\n+++\n'
    )
    as_json = article(
        '{\n"title": 2020, "publishedDateTime": "2024-04-01T08:00:00Z", "quality": 61,'
        ' "topics": ["Space"], "provider": {"name": "N"}\n}\n'
    )
    assert as_yaml == as_toml == as_json


def test_json_numbers_keep_their_digits_as_text() -> None:
    assert (
        article('{\n"title": 1.10, "excerpt": 007x\n}\n'.replace("007x", '"007"')).title == "1.10"
    )


def test_unknown_fields_are_kept_by_path() -> None:
    found = document(
        "---\ntitle: a\nfeaturedContent: <iframe>\nlayout: {b: [1]}\nprovider: {name: p, id: 7}\n"
        "related:\n  - {title: r, rank: 1, images: [{url: /x, alt: y}]}\n---\n"
    )
    assert found.extra == {
        "featuredContent": "<iframe>",
        "layout": {"b": [1]},
        "provider.id": 7,
        "related[0].rank": 1,
        "related[0].images[0].alt": "y",
    }
    assert found.findings == []


def test_an_author_is_a_name_or_a_map() -> None:
    assert article("---\ntitle: a\nauthor: Ada\n---\n").author == "Ada"
    found = article("---\ntitle: a\nauthor: {name: Ada, url: /ada}\n---\n").author
    assert found is not None and not isinstance(found, str) and found.url == "/ada"


def test_content_hash_leaves_out_what_the_robot_rewrites() -> None:
    first = document("---\ntitle: a\nheat: 1\nquality: 1\npublished: true\nsecured: x\n---\nB\n")
    scores = document("---\ntitle: a\nheat: 2\nquality: 1\npublished: true\nsecured: y\n---\nB\n")
    content = document("---\ntitle: b\nheat: 1\nquality: 1\npublished: true\nsecured: x\n---\nB\n")
    body = document("---\ntitle: a\nheat: 1\nquality: 1\npublished: true\nsecured: x\n---\nC\n")
    assert first.content_hash == scores.content_hash and first.score_hash != scores.score_hash
    assert len({first.content_hash, content.content_hash, body.content_hash}) == 3
    assert first.score_hash == content.score_hash


def test_values_yaml_1_1_would_have_changed() -> None:
    found = article(
        "---\ntitle: x\ncategory: on\ntype: 12:30:00\nquality: 0o17\nlength: PT1H2M3S\n---\n"
    )
    assert (found.category, found.type, found.quality) == ("on", "12:30:00", 15)
    assert found.length is not None and found.length.total_seconds() == 3723


@pytest.mark.parametrize("name", REJECTED)
def test_rejection(name: str) -> None:
    case = REJECTED[name]
    rejection = frontmatter.read(case.content)
    assert isinstance(rejection, Rejection)
    assert (rejection.stage, rejection.code) == (case.stage, case.code)
    assert (rejection.line, rejection.column) == (case.line, case.column)
    assert (rejection.line_text or "").startswith(case.line_begins or "")
    assert (rejection.line_text is None) == (case.line_begins is None)
    assert rejection.message.endswith(".") and "s3cret" not in str(rejection)


@pytest.mark.parametrize("name", REPAIRED)
def test_finding(name: str) -> None:
    """Findings on URLs come when rows are made of the document."""
    case = REPAIRED[name]
    content = case.content.encode() if isinstance(case.content, str) else case.content
    found = document(content)
    file = SourceFile("site", "_news/bad.md", "id", "part")
    tables = transform([(file, found)])
    assert found.findings == case.findings
    [row] = tables["articles"].select(["findings_count", *case.columns]).to_pylist()
    assert row == {"findings_count": len(case.findings), **case.columns}


@pytest.mark.parametrize(
    ("content", "title", "provider"),
    [
        ("title: 2020\nprovider: {name: 007, domain: x.example}", "2020", "007"),
        ("title: no\nprovider: {name: 1_000}", "no", "1_000"),
        ("title: 1e3\nprovider: {name: 0x1F}", "1e3", "0x1F"),
        ("title: True\nprovider: {name: 2021-06-03}", "True", "2021-06-03"),
        ("title: 1.10\nprovider: {name: +5}", "1.10", "+5"),
    ],
)
def test_text_that_looks_like_something_else_is_kept_as_written(
    content: str, title: str, provider: str
) -> None:
    found = document(f"---\n{content}\n---\n")
    assert found.findings == []
    assert found.article and found.article.provider
    assert (found.article.title, found.article.provider.name) == (title, provider)


TEXTS = st.text(
    st.characters(
        codec="utf-8", exclude_characters="\0\x85\u2028\u2029", exclude_categories=["Cc", "Cs"]
    ),
    max_size=30,
)
RECORDS = st.fixed_dictionaries(
    {"title": TEXTS},
    optional={
        "excerpt": TEXTS,
        "quality": st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXTS,
        "heat": st.none() | st.integers() | st.booleans(),
        "published": st.booleans() | TEXTS,
        "topics": st.lists(st.none() | TEXTS | st.integers(), max_size=4) | TEXTS,
        "provider": st.none()
        | TEXTS
        | st.fixed_dictionaries({}, optional={"name": TEXTS, "domain": TEXTS, "more": TEXTS}),
        "related": st.lists(
            st.none() | st.fixed_dictionaries({"title": TEXTS}, optional={"quality": TEXTS}),
            max_size=3,
        ),
        "images": st.dictionaries(TEXTS, TEXTS, max_size=2) | st.lists(st.integers(), max_size=2),
    },
)


@given(RECORDS)
@settings(max_examples=150, deadline=None)
def test_both_paths_agree_and_locate_every_defect(record: dict[str, object]) -> None:
    text = yaml.safe_dump(record, allow_unicode=True, sort_keys=False)
    found = frontmatter.read(f"---\n{text}---\n".encode())
    assert isinstance(found, Document), found
    data = {key: value for key, value in record.items() if key in coerce.KNOWN[Article]}
    reader = coerce.ExactReader(
        lambda path: (1, 1), lambda: yaml.load(text, Loader=yaml.CBaseLoader), strict=False
    )
    slow = reader.article(data)
    try:
        assert msgspec.convert(data, Article) == slow or any(
            finding.rule == "mojibake" for finding in reader.findings
        )
    except msgspec.ValidationError:
        assert reader.findings or found.extra or found.article
    for finding in found.findings:
        assert finding.line is not None and 2 <= finding.line <= text.count("\n") + 2, finding


_GAPS = st.sampled_from(["", "x", None])
_GAPPY_RELATED = st.fixed_dictionaries(
    {"title": _GAPS},
    optional={
        "webUrl": _GAPS,
        "heat": st.sampled_from(["", 3]),
        "topics": st.lists(_GAPS, max_size=2) | st.just(""),
        "provider": st.fixed_dictionaries(
            {}, optional={"name": _GAPS, "images": st.lists(st.fixed_dictionaries({"url": _GAPS}))}
        ),
    },
)
_GAPPY = st.fixed_dictionaries(
    {"title": _GAPS},
    optional={
        "secured": _GAPS,
        "published": st.sampled_from(["", True]),
        "quality": st.sampled_from(["", 1, "1"]),
        "publishedDateTime": st.sampled_from(
            ["", "2024-01-02T03:04:05Z", "9999-12-31T23:00:00-05:00"]
        ),
        "author": st.sampled_from(["", "A", {"name": ""}]),
        "provider": st.just("") | st.fixed_dictionaries({"name": _GAPS}, optional={"more": _GAPS}),
        "related": st.just("") | st.lists(st.just("") | _GAPPY_RELATED, max_size=3),
        "unknown": _GAPS,
    },
)


@given(_GAPPY)
@settings(max_examples=300, deadline=None)
def test_the_short_way_for_empty_strings_gives_what_the_long_one_gives(
    record: dict[str, object],
) -> None:
    def reader() -> coerce.ExactReader:
        return coerce.ExactReader(lambda path: (1, len(path)), dict, strict=False, suspicious=False)

    short, long = reader(), reader()
    quick = short.article_but_for_empty(record)
    if quick is None:
        assert not short.findings
    else:
        assert (quick, short.findings) == (long.article(record), long.findings)
        assert not coerce.unknown_fields(record).keys() - {"unknown"}


@given(
    st.binary(max_size=200)
    | st.binary(max_size=120).map(lambda raw: b"---\ntitle: " + raw + b"\n---\n")
)
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    for strict in (False, True):
        found = frontmatter.read(raw, strict=strict)
        if isinstance(found, Rejection):
            assert found.message.endswith(".") and found.code != "internal_error"


@given(
    st.recursive(
        st.integers() | TEXTS.filter(bool),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(
                st.from_regex(r"[a-z]{1,6}", fullmatch=True), inner, min_size=1, max_size=3
            )
        ),
        max_leaves=12,
    )
)
@settings(max_examples=150, deadline=None)
def test_places_agree_with_pyyaml(value: object) -> None:
    text = yaml.safe_dump(
        {"root": value, "after": 1}, allow_unicode=True, sort_keys=False, width=10_000
    )
    positions = Positions(text)

    def walk(node: yaml.Node, path: tuple[str | int, ...]) -> None:
        children: list[tuple[str | int, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            children = [(key.value, child) for key, child in node.value]
        elif isinstance(node, yaml.SequenceNode):
            children = list(enumerate(node.value))
        elif not node.value.startswith(("'", '"')) and node.start_mark.line == node.end_mark.line:
            assert positions.locate(path) == (
                node.start_mark.line + 1,
                node.start_mark.column + 1,
            ), (
                text,
                path,
            )
        for step, child in children:
            walk(child, (*path, step))

    walk(yaml.compose(text), ())
