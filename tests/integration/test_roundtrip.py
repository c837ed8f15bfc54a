"""Articles leave as front-matter files from which a run gives the same rows."""

import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.export.articles import assemble
from pipeline.export.export import export
from pipeline.export.formats.frontmatter import file_text
from pipeline.export.formats.yaml import front_matter_text
from pipeline.export.request import Request, Style
from pipeline.extract.frontmatter import read
from pipeline.load.warehouse import Warehouse
from pipeline.schema.documents import Document, SourceFile
from pipeline.schema.tables import TABLES
from pipeline.transform.documents import document_rows
from tests.support.world import World, article

EQUAL = ("articles", "article_topics", "related", "images", "bodies")
NOT_EQUAL = {"findings_count", "secured_bytes", "secured_iv_bytes", "secured_digest"}
"""What no file can give back: repaired defects, and the ciphertext that does not leave."""


def write_back(world: World, folder: Path, **request: Any) -> list[str]:
    return export(
        Warehouse(world.warehouse), Request(**request), Style("frontmatter"), str(folder)
    ).notes


def assert_same_rows(world: World, again: World, *, but: set[str] = NOT_EQUAL) -> None:
    for name in EQUAL:
        columns = [column for column in TABLES[name].names if column not in but]
        query = f"select {', '.join(columns)} from {name} order by {', '.join(TABLES[name].key)}"
        before, after = (
            [tuple(map(fields_of, row)) for row in place.rows(query)] for place in (world, again)
        )
        assert before == after, name
    assert world.rows("select 1 from articles")


def fields_of(value: object) -> object:
    """JSON as its fields, whose order may differ; else the value."""
    return (
        sorted(json.loads(value).items(), key=str)
        if isinstance(value, str) and value.startswith('{"')
        else value
    )


def run_again(tmp_path: Path, folder: Path, **settings_given: object) -> World:
    again = World(tmp_path / "again")
    again.run(sources=(f"site={folder}",), **settings_given)
    return again


def test_a_hostile_site_comes_back(world: World, tmp_path: Path) -> None:
    world.write(
        {
            "_news/plain.md": article(
                title='"Plain: with \\"quotes\\", #hash and \\u00e9"', heat="-1"
            )
            + "\nThe body.\n---\nstill the body\n",
            "_news/odd name\n😀.md": article(
                title="'=cmd()|''x'''",
                topics="['yes', '2024-01-01', '1.0', null, 'null', '~', '- a', 'ünï']",
            ),
            "top.html": article(title="'0123'", length="PT1H2M3S", published="yes", quality="'77'"),
            "a.json.md": json.dumps(
                {
                    "title": "j\0\r\n\t\x85\u2028\ufeff\u200fx",
                    "rank": 1.5,
                    "deep": {"a": [1, [2, {"b": None}], {}]},
                },
                indent=1,
            )
            + "\n",
            "t.md": '+++\ntitle = "toml"\nauthor = "Jo"\nday = 2024-01-01\n+++\n',
            "empty.md": "---\ntitle:\n---\n",
            "nested.md": article(
                author="{name: Jo, url: 'https://x.example/jo', rank: 3}",
                related=(
                    "[{}, {title: a, provider: {name: N, images: [{url: u, dpi: 72}]}, topics: [],"
                    " extraField: 2024-05-06, images: [{}]}]"
                ),
                images="[null, {url: x, depth: 8}]",
                provider="{images: [{url: logo}], owner: 'No'}",
            ),
            "mojibake.md": "title: x\n".join(["---\n", "---\nThe cityâ€™s cafÃ© plan\n"]),
            "escaped.json.md": '{\n"title": "caf\\u00c3\\u00a9",\n"published": false\n}\n',
        }
    )
    world.run()
    write_back(world, tmp_path / "back")
    assert_same_rows(world, run_again(tmp_path, tmp_path / "back"))


def test_what_comes_back_needs_no_repair(world: World, tmp_path: Path) -> None:
    world.write({"a.md": article(heat="''", quality="'50'", published="on")})
    world.run()
    write_back(world, tmp_path / "back")
    again = run_again(tmp_path, tmp_path / "back")
    assert world.rows("select count(*) from findings") == [(3,)]
    assert again.rows("select count(*) from findings") == [(0,)]


def test_the_layout_is_that_of_sites(world: World, tmp_path: Path) -> None:
    given_text = (
        '---\ncategory: news\ntitle: "A title"\npublishedDateTime:'
        ' 2024-01-02T03:04:05Z\nwebUrl: "https://a.example/x"\n'
        "type: article\nquality: 33\nheat: -1\npublished: false\n\nprovider:\n  name: Old Town"
        " Tribune\n  domain: a.example\n\n"
        'topics:\n  - AI\n  - "On"\n\nrelated:\n  - title: "Other"\n    provider:\n      name:'
        " B\n    images:\n"
        '      - url: "https://b.example/i.png"\n        width: 12\n        isCached:'
        " true\n---\n\nBody.\n"
    )
    world.write({"_news/a.md": given_text})
    world.run()
    write_back(world, tmp_path / "back")
    assert (tmp_path / "back/_news/a.md").read_text() == given_text


def test_secured_comes_back_only_where_it_is_kept_and_named(world: World, tmp_path: Path) -> None:
    world.write({"a.md": article(secured='"AAAA;BBBB"')})
    world.run(keep_secured=True)
    notes = write_back(world, tmp_path / "without")
    assert "AAAA" not in (tmp_path / "without/a.md").read_text()
    assert any("secured" in note for note in notes)
    write_back(world, tmp_path / "with", names=("secured",))
    assert_same_rows(world, run_again(tmp_path, tmp_path / "with"), but={"findings_count"})


def test_bodies_that_were_not_kept_are_not_lost_in_silence(world: World, tmp_path: Path) -> None:
    world.write({"a.md": article() + "Body.\n"})
    world.run(keep_bodies=False)
    with pytest.raises(UsageError, match="the body of 1 article was not kept"):
        write_back(world, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_several_sources_get_a_folder_each(world: World, tmp_path: Path) -> None:
    site = world.write({"a.md": article()})
    world.run(sources=(f"one={site}", f"two={site}"))
    back = tmp_path / "back"
    write_back(world, back)
    again = World(tmp_path / "again")
    again.run(sources=(f"one={back}/one", f"two={back}/two"))
    assert_same_rows(world, again)
    write_back(world, tmp_path / "single", where="source = 'one'")
    assert (tmp_path / "single/a.md").exists()


@pytest.mark.parametrize(
    "path", ["../out.md", "/etc/out.md", "a/../../out.md", "link/out.md", "./x.md"]
)
def test_paths_that_leave_the_folder_are_refused(path: str, tmp_path: Path) -> None:
    from pipeline.export.formats.frontmatter import write

    folder = tmp_path / "back"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    row = dict.fromkeys(TABLES["articles"].names)
    row |= {"article_id": "x", "source": "s", "path": path, "title": "t"}
    found = assemble(row, {})
    with pytest.raises(UsageError, match="leads out of"):
        write([found], folder, ["s"])
    assert not (tmp_path / "out.md").exists()
    with pytest.raises(UsageError, match="leads out of"):
        write([], folder, ["..", "s"])


def test_names_that_are_no_utf8_come_back(world: World, tmp_path: Path) -> None:
    site = world.write({"a.md": article()})
    os.rename(site / "a.md", os.fsencode(site) + b"/\xff.md")
    (site / ("n" * 252 + ".md")).write_text(article())
    world.run()
    write_back(world, tmp_path / "back")
    assert os.path.exists(os.fsencode(tmp_path / "back") + b"/\xff.md")
    assert_same_rows(world, run_again(tmp_path, tmp_path / "back"))


def test_the_articles_of_a_real_site_come_back(
    unpacked: Callable[[str], Path], tmp_path: Path
) -> None:
    world = World(tmp_path / "first")
    world.run(sources=(f"site={unpacked('diablo4.tar.gz')}",), keep_secured=True)
    write_back(world, tmp_path / "back", names=("articles", "secured"))
    assert_same_rows(world, run_again(tmp_path, tmp_path / "back"), but={"findings_count"})


# Generated articles.

texts = st.one_of(
    st.text(min_size=1, max_size=30),
    st.sampled_from(
        [
            "yes",
            "No",
            "null",
            "~",
            "1",
            "1e3",
            "0x1F",
            "2024-01-01",
            "12:30:45",
            "- a",
            "a: b",
            "a #b",
            "=1+1",
            " x ",
            "é",
            "cafÃ©",
            "<<",
            "…",
            "\ud7ff",
            "🇩🇪",
            "\u202eabc",
            "\x00",
            "\r",
            "\x85",
            "'",
            '"',
            "\\",
            "%",
            "@",
            "`",
            "{",
            "[",
            "!",
            "&",
            "*",
            "?",
            "|",
            ">",
            "---",
            "...",
        ]
    ),
)
numbers = st.integers(-(2**63), 2**63 - 1)
moments = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 12, 31)).map(
    lambda moment: moment.isoformat() + "Z"
)
json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), numbers, st.floats(allow_nan=False, allow_infinity=False), texts
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


def records(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


unknown = {"rank": json_values, "x.y": json_values, "x y": texts}
images = st.lists(
    records(
        url=texts,
        width=numbers,
        height=numbers,
        isCached=st.booleans(),
        title=texts,
        attribution=texts,
        **unknown,
    ),
    max_size=3,
)
providers = records(name=texts, domain=texts, images=images, **unknown)
shared: dict[str, st.SearchStrategy[Any]] = {
    "excerpt": texts,
    "publishedDateTime": moments,
    "originalUrl": texts,
    "webUrl": st.one_of(texts, st.just("https://www.example.org/a?utm_source=x#y")),
    "ampWebUrl": texts,
    "cdnAmpWebUrl": texts,
    "type": texts,
    "category": texts,
    "provider": providers,
    "quality": numbers,
    "heat": numbers,
    "length": st.integers(-(10**9), 10**9).map(
        lambda seconds: f"{'-' * (seconds < 0)}PT{abs(seconds)}S"
    ),
    "topics": st.lists(st.one_of(st.none(), texts), max_size=4),
    "images": images,
}
articles = st.builds(
    lambda title, rest, extra: {**extra, **rest, "title": title},
    st.one_of(st.none(), texts),
    records(
        **shared,
        updatedDateTime=moments,
        published=st.booleans(),
        author=st.one_of(texts, records(name=texts, url=texts, **unknown)),
        related=st.lists(records(title=texts, **shared, **unknown), max_size=3),
    ),
    st.dictionaries(
        texts.filter(lambda key: key.lower().rpartition(".")[2] != "secured"),
        json_values,
        max_size=3,
    ),
)


def rows_of(raw: bytes) -> dict[str, list[dict[str, Any]]]:
    document = read(raw)
    assert isinstance(document, Document), (raw, document)
    file = SourceFile("s", "a.md", "0" * 16, "s/0", None, 0, 0, None)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in EQUAL}
    for name, rows in document_rows(file, document, keep_bodies=True, keep_secured=False):
        if name in found:
            found[name] += TABLES[name].from_rows(rows).to_pylist()
    return found


def moved(row: dict[str, Any]) -> dict[str, Any]:
    """A row with times as an export reads them."""
    return {
        key: value.isoformat().replace("+00:00", "Z") if isinstance(value, dt.datetime) else value
        for key, value in row.items()
    }


@settings(max_examples=400, deadline=None)
@given(articles, st.one_of(st.just(""), st.text(max_size=40)))
def test_any_article_gives_the_same_rows_again(front_matter: dict[str, Any], body: str) -> None:
    body = body.replace("\0", "")
    raw = json.dumps(front_matter, indent=1).encode() + b"\n" + body.encode()
    before = rows_of(raw)
    [row] = before["articles"]
    children = before | {"related": [moved(item) for item in before["related"]]}
    written = file_text(assemble(moved(row), children)).encode()
    after = rows_of(written)
    for name in EQUAL:
        for one, other in zip(before[name], after[name], strict=True):
            for column in one.keys() - NOT_EQUAL - {"extra"}:
                assert one[column] == other[column], (name, column, written.decode())
    extras = [json.loads(rows["articles"][0]["extra"] or "{}") for rows in (before, after)]
    assert extras[0] == extras[1], written.decode()


@settings(max_examples=6, deadline=None)
@given(st.lists(articles, min_size=1, max_size=8))
def test_any_site_gives_the_same_tables_again(
    tmp_path_factory: pytest.TempPathFactory, found: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("site")
    world = World(folder / "first")
    world.write(
        {f"_news/{at}.md": json.dumps(item, indent=1) + "\nBody\n" for at, item in enumerate(found)}
    )
    world.run()
    write_back(world, folder / "back")
    assert_same_rows(world, run_again(folder, folder / "back"))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=8), json_values, min_size=1, max_size=4))
def test_another_reader_reads_the_same_texts(values: dict[str, Any]) -> None:
    """PyYAML reads YAML 1.1: what is quoted for it, is for all."""

    def texts_of(value: Any) -> Any:
        if isinstance(value, dict):
            return [(key, texts_of(item)) for key, item in value.items()]
        if isinstance(value, list):
            return [texts_of(item) for item in value]
        return None if isinstance(value, float) else value  # 1e+22 is a text in YAML 1.1

    def without_floats(value: Any, given_value: Any) -> Any:
        if isinstance(given_value, dict):
            return {key: without_floats(item, given_value[key]) for key, item in value.items()}
        if isinstance(given_value, list):
            return [without_floats(item, one) for item, one in zip(value, given_value, strict=True)]
        return None if isinstance(given_value, float) else value

    loaded = yaml.load(front_matter_text(values), Loader=yaml.CSafeLoader)
    assert texts_of(without_floats(loaded, values)) == texts_of(values)
