"""Every kind of bad input: the exact rejection or finding, and the file beside it is loaded."""

import os
from pathlib import Path

import pytest

from pipeline.build.part import build_part
from pipeline.build.tasks import Options
from pipeline.extract.folder import Folder, read_file
from pipeline.runs.plan import plan_all
from tests.support.world import World, article

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join(['*' + chr(97 + at)] * 9)}]\n" for at in range(7)
)

# name: file content -> stage, code, line, column, beginning of the line itself
REJECTED: dict[str, tuple[bytes, tuple[str, str, int | None, int | None, str | None]]] = {
    "nul bytes": (b"---\ntitle: a\0b\n---\n", ("decode", "nul_bytes", 2, 9, "title: a\\0b")),
    "utf-16": ("---\ntitle: a\n---\n".encode("utf-16"), ("decode", "nul_bytes", 1, 1, None)),
    "neither utf-8 nor cp1252": (
        b"---\ntitle: ok\nname: a\x81b\n---\n",
        ("decode", "not_utf8", 3, 8, "name: a\x81b"),
    ),
    "unclosed fence": (b"---\ntitle: a\n", ("fence", "unclosed_fence", 1, 1, "---")),
    "unclosed toml": (b"+++\ntitle = 'a'\n", ("fence", "unclosed_fence", 1, 1, "+++")),
    "unclosed json": (b'{\n"title": "a"\n', ("fence", "unclosed_fence", 1, 1, "{")),
    "bad yaml": (b"---\ntitle: a\nlist: [1, 2\n---\n", ("parse", "bad_yaml", 3, 7, "list: [1, 2")),
    "open quote": (b'---\ntitle: "a\n---\n', ("parse", "bad_yaml", 2, 8, 'title: "a')),
    "unknown anchor": (b"---\ntitle: *a\n---\n", ("parse", "bad_yaml", 2, 8, "title: *a")),
    "unhashable key": (
        b"---\n? {a: [1]}\n: 1\ntitle: x\n---\n",
        ("parse", "bad_yaml", 2, 1, "? {a: [1]}"),
    ),
    "bad toml": (b"+++\ntitle = \n+++\n", ("parse", "bad_toml", 2, 1, "title = ")),
    "bad json": (b'{\n"title": oops\n}\n', ("parse", "bad_json", 2, 10, '"title": oops')),
    "lone surrogate": (b'{\n"title": "\\ud83d"\n}\n', ("parse", "bad_json", None, None, None)),
    "alias bomb": (
        f"---\n{BOMB}title: x\n---\n".encode(),
        ("parse", "alias_bomb", 3, 8, "b: &b [*a, *a"),
    ),
    "nesting bomb": (
        f"---\ntitle: {'[' * 9999}\n---\n".encode(),
        ("parse", "nesting_bomb", 2, 263, "title: [[[["),
    ),
    "a list": (b"---\n- title\n---\n", ("parse", "not_a_mapping", 2, 1, "- title")),
    "a scalar": (b"---\njust text\n---\n", ("parse", "not_a_mapping", 2, 1, "just text")),
    "broken secured": (
        b'---\ntitle: a\nsecured: "s3cret;iv"x\n---\n',
        ("parse", "bad_yaml", 3, 21, "secured: ..."),
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_rejection(world: World, name: str) -> None:
    content, expected = REJECTED[name]
    world.write({"_news/bad.md": content, "_news/good.md": article()})
    result = world.run()
    assert (result.record.files, result.record.articles, result.record.rejected) == (2, 1, 1)
    [row] = world.rows(
        "select path, stage, code, line_number, column_number, line_text, message from rejections"
    )
    assert row[0] == "_news/bad.md"
    assert row[1:5] == expected[:4]
    assert (row[5] or "").startswith(expected[4] or "") and (row[5] is None) == (
        expected[4] is None
    )
    assert str(row[6]).endswith(".") and "s3cret" not in str(row)
    assert world.rows("select path from articles") == [("_news/good.md",)]


# name: file content -> findings (rule, field, value, action, line, column), {column: value of the article}
Found = list[tuple[str, str, str | None, str, int | None, int | None]]
SURVIVED: dict[str, tuple[str | bytes, Found, dict[str, object]]] = {
    "unquoted colon": (
        "---\ntitle: x\nprovider:\n  name: DM: Diablo's Immortal\n  domain: y.example\n---\n",
        [("unquoted_colon", "name", "DM: Diablo's Immortal", "read as if quoted", 4, 9)],
        {"provider_name": "DM: Diablo's Immortal"},
    ),
    "two unquoted colons": (
        "---\ntitle: one: two\nexcerpt: three: four\n---\n",
        [
            ("unquoted_colon", "title", "one: two", "read as if quoted", 2, 8),
            ("unquoted_colon", "excerpt", "three: four", "read as if quoted", 3, 10),
        ],
        {"title": "one: two", "excerpt": "three: four"},
    ),
    "mojibake": (
        '---\nrelated:\n  - title: "Baltimoreâ€™s bad idea"\ntitle: café\n---\n',
        [("mojibake", "related[0].title", "Baltimoreâ€™s bad idea", "decoded again", 3, 12)],
        {"title": "café"},
    ),
    "crlf": (
        b"---\r\ntitle: a\r\nheat: 5\r\n---\r\nBody\r\n",
        [("carriage_return", "", "5 CR", "read as line ends", 1, None)],
        {"title": "a", "heat": 5, "body_chars": 4},
    ),
    "byte order mark": (
        b"\xef\xbb\xbf---\ntitle: a\n---\n",
        [("byte_order_mark", "", "U+FEFF", "left out", 1, 1)],
        {"title": "a"},
    ),
    "windows-1252": (
        b"---\ntitle: caf\xe9\n---\n",
        [("not_utf8", "", "title: café", "read as Windows-1252", 2, 11)],
        {"title": "café"},
    ),
    "empty string": (
        "---\ntitle: a\nwebUrl: \"\"\nexcerpt: ''\n---\n",
        [
            ("empty_string", "excerpt", "", "set to null", 4, 10),
            ("empty_string", "webUrl", "", "set to null", 3, 9),
        ],
        {"web_url": None, "excerpt": None},
    ),
    "empty title": (
        '---\ntitle: ""\n---\n',
        [("empty_string", "title", "", "set to null", 2, 8)],
        {"title": None},
    ),
    "number as text": (
        article(heat='"33"'),
        [("number_as_text", "heat", "33", "read as 33", 4, 7)],
        {"heat": 33},
    ),
    "decimal number": (
        article(heat="33.0"),
        [("decimal_number", "heat", "33.0", "read as 33", 4, 7)],
        {"heat": 33},
    ),
    "boolean as text": (
        article(published="yes"),
        [("boolean_as_text", "published", "yes", "read as true", 5, 12)],
        {"published": True},
    ),
    "date without time": (
        article(publishedDateTime="2024-03-05"),
        [("date_without_time", "publishedDateTime", "2024-03-05", "read as midnight UTC", 6, 20)],
        {"published_at::varchar": "2024-03-05 00:00:00+00"},
    ),
    "date without zone": (
        article(publishedDateTime="2024-03-05T10:30:00"),
        [("date_without_zone", "publishedDateTime", "2024-03-05T10:30:00", "read as UTC", 6, 20)],
        {"published_at::varchar": "2024-03-05 10:30:00+00"},
    ),
    "null topic": (
        "---\ntitle: a\ntopics:\n  - AI\n  -\n---\n",
        [("null_topic", "topics[1]", "null", "kept as null", 5, 4)],
        {"topics_count": 2},
    ),
    "scalar topics": (
        article(topics="Health"),
        [("scalar_list", "topics", "Health", "read as a list of one", 6, 9)],
        {"topics_count": 1},
    ),
    "one image as a map": (
        "---\ntitle: a\nimages:\n  url: /x.jpg\n  width: 4\n---\n",
        [("single_item", "images", "{'url': '/x.jpg', 'width': 4}", "read as a list of one", 3, 8)],
        {"images_count": 1},
    ),
    "null item": (
        "---\ntitle: a\nimages:\n  -\n  - url: /x.jpg\n---\n",
        [("null_item", "images[0]", None, "left out", 4, 4)],
        {"images_count": 1},
    ),
    "duplicate key": (
        "---\ntitle: a\nheat: 1\nheat: 2\n---\n",
        [("duplicate_key", "heat", "heat", "the last one counts", 4, 1)],
        {"heat": 2},
    ),
    "words for a number": (
        article(heat="hot"),
        [("invalid_number", "heat", "hot", "set to null", 4, 7)],
        {"heat": None},
    ),
    "half a number": (
        article(heat="50.5"),
        [("invalid_number", "heat", "50.5", "set to null", 4, 7)],
        {"heat": None},
    ),
    "too many digits": (
        article(quality="9223372036854775808"),
        [("invalid_number", "quality", "9223372036854775808", "set to null", 3, 10)],
        {"quality": None},
    ),
    "infinity": (
        article(heat=".inf"),
        [("invalid_number", "heat", ".inf", "set to null", 4, 7)],
        {"heat": None},
    ),
    "impossible date": (
        article(publishedDateTime="2024-02-30T10:00:00Z"),
        [("invalid_date", "publishedDateTime", "2024-02-30T10:00:00Z", "set to null", 6, 20)],
        {"published_at": None},
    ),
    "words for a boolean": (
        article(published="maybe"),
        [("invalid_boolean", "published", "maybe", "set to null", 5, 12)],
        {"published": None},
    ),
    "text for a map": (
        article(provider="CNN"),
        [("wrong_type", "provider", "CNN", "set to null", 6, 11)],
        {"provider_id": None},
    ),
    "map for text": (
        article(excerpt="{a: 1}"),
        [("wrong_type", "excerpt", "{'a': 1}", "set to null", 6, 10)],
        {"excerpt": None},
    ),
    "secured of the wrong type": (
        article(secured="[s3cret]"),
        [("wrong_type", "secured", None, "set to null", 6, 10)],
        {"secured_bytes": None},
    ),
    "bad duration": (
        article(length="eleven"),
        [("invalid_duration", "length", "eleven", "set to null", 6, 9)],
        {"duration_seconds": None},
    ),
    "no web address": (
        article(originalUrl="htp//x"),
        [("invalid_url", "originalUrl", "htp//x", "not used", 6, 14)],
        {"url": None},
    ),
    "disagreeing urls": (
        article(originalUrl="https://a.example/x", webUrl="https://b.example/y"),
        [
            (
                "url_disagreement",
                "webUrl",
                "https://b.example/y",
                "canonical is https://a.example/x",
                7,
                9,
            )
        ],
        {"url": "https://a.example/x"},
    ),
    "flow style": (
        "---\n{title: a, heat: hot}\n---\n",
        [("invalid_number", "heat", "hot", "set to null", 2, 18)],
        {"title": "a", "heat": None},
    ),
}


@pytest.mark.parametrize("name", SURVIVED)
def test_finding(world: World, name: str) -> None:
    content, expected, values = SURVIVED[name]
    world.write({"_news/bad.md": content, "_news/good.md": article()})
    result = world.run()
    assert (result.record.articles, result.record.rejected) == (2, 0)
    found = world.rows(
        "select rule, field, value, action, line_number, column_number from findings order by position"
    )
    assert found == expected
    [row] = world.rows(
        f"select findings_count, {', '.join(values)} from articles where path = '_news/bad.md'"
    )
    assert row == (len(expected), *values.values())


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
    world: World, content: str, title: str, provider: str
) -> None:
    world.write({"a.md": f"---\n{content}\n---\n"})
    assert world.run().findings == {}
    assert world.rows("select title, provider_name from articles") == [(title, provider)]


def test_strict_repairs_nothing(world: World) -> None:
    world.write(
        {
            "colon.md": "---\ntitle: a: b\n---\n",
            "latin.md": b"---\ntitle: caf\xe9\n---\n",
            "twice.md": "---\ntitle: a\ntitle: b\n---\n",
            "moji.md": '---\ntitle: "itâ€™s"\nheat: "33"\nexcerpt: ""\n---\n',
        }
    )
    world.run(strict=True)
    assert world.rows(
        "select path, code, line_number, column_number from rejections order by path"
    ) == [
        ("colon.md", "bad_yaml", 2, 9),
        ("latin.md", "not_utf8", 2, 11),
        ("twice.md", "bad_yaml", 3, 1),
    ]
    assert world.rows("select title, heat, excerpt from articles") == [("itâ€™s", None, "")]
    assert world.rows("select rule, action from findings order by rule") == [
        ("empty_string", "kept as found"),
        ("mojibake", "kept as found"),
        ("number_as_text", "set to null"),
    ]


def test_too_large(world: World) -> None:
    world.write({"big.md": article(excerpt="x" * 500), "good.md": article()})
    world.run(max_file_bytes=300)
    [row] = world.rows("select path, stage, code, message from rejections")
    assert row[:3] == ("big.md", "read", "too_large")
    assert "(limit 300)" in str(row[3])
    assert world.rows("select path from articles") == [("good.md",)]


def test_vanished_while_reading(world: World) -> None:
    source = Folder.parse(str(world.write({"a.md": article(), "gone.md": article()})))
    [task] = plan_all(source, source.list(), None, 20, str(world.warehouse), Options()).tasks
    (world.site / "gone.md").unlink()
    result = build_part(task)
    assert {
        name: file.rows
        for name, file in result.tables.items()
        if name in ("articles", "rejections", "documents")
    } == {
        "articles": 1,
        "documents": 2,
        "rejections": 1,
    }
    failure = read_file(str(world.site), "gone.md", 100)
    assert not isinstance(failure, tuple)
    assert failure.code == "vanished"


def test_permission_denied(world: World) -> None:
    other = World(
        world.site.parent / "other"
    )  # a run loads modules, and another user may not reach the interpreter's
    other.write({"a.md": article(provider="{name: P, domain: p.example.com}")})
    other.run()
    world.write({"closed.md": article(), "shut/a.md": article(), "good.md": article()})
    for path in [world.site, *world.site.parents]:
        if path.stat().st_mode & 0o005 != 0o005:
            path.chmod(0o755)
    (world.site / "closed.md").chmod(0)
    (world.site / "shut").chmod(0)
    world.warehouse.mkdir()
    world.warehouse.chmod(0o777)
    me = os.geteuid()
    try:
        if me == 0:
            os.seteuid(65534)
        if not os.access(world.site / "good.md", os.R_OK, effective_ids=True):
            pytest.skip("the temporary folder is closed to other users")
        world.run()
    finally:
        os.seteuid(me)
        (world.site / "shut").chmod(0o755)
    assert world.rows("select path, stage, code from rejections order by path") == [
        ("closed.md", "read", "permission_denied"),
        ("shut/", "read", "permission_denied"),
    ]
    assert world.rows("select path from articles") == [("good.md",)]


def test_what_is_no_file_does_not_hold_the_run_up(world: World) -> None:
    world.write({"good.md": article()})
    os.mkfifo(world.site / "pipe.md")
    (world.site / "loop").symlink_to(world.site)
    (world.site / "dangling.md").symlink_to("nowhere.md")
    result = world.run()
    assert result.rejections == {"not_a_file": 1, "vanished": 1}
    assert result.tables["articles"] == 1


def test_odd_names(world: World) -> None:
    names = [
        "'; drop table articles; --.md",
        "new\nline.md",
        "emoji \U0001f525.md",
        "[1]*?.md",
        "back\\slash.md",
        "%s {}.md",
    ]
    world.write({name: article(heat="hot") for name in names})
    raw = os.fsencode(world.site) + b"/caf\xe9.md"
    Path(os.fsdecode(raw)).write_text(article())
    result = world.run()
    assert result.record.rejected == 0
    assert {row[0] for row in world.rows("select path from articles")} == {*names, "caf\ufffde9.md"}
