"""Every kind of bad input, with what the reader makes of it: a rejection, or findings and values.

Each case is one file; its name says what is wrong with it.
"""

import datetime as dt
from typing import NamedTuple

from pipeline.schema.documents import Finding
from tests.support.world import article


class Rejected(NamedTuple):
    """Content of a file that cannot be read, and where its rejection points to."""

    content: bytes
    stage: str
    code: str
    line: int | None
    column: int | None
    line_begins: str | None
    """First characters of the line as the rejection shows it; None if it shows no line."""


class Repaired(NamedTuple):
    """Content of a file that is read all the same, its findings and some columns of its article."""

    content: str | bytes
    findings: list[Finding]
    columns: dict[str, object]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join(['*' + chr(97 + at)] * 9)}]\n" for at in range(7)
)

REJECTED = {
    "nul bytes": Rejected(
        content=b"---\ntitle: a\0b\n---\n",
        stage="decode",
        code="nul_bytes",
        line=2,
        column=9,
        line_begins="title: a\\0b",
    ),
    "utf-16": Rejected(
        content="---\ntitle: a\n---\n".encode("utf-16"),
        stage="decode",
        code="nul_bytes",
        line=1,
        column=1,
        line_begins=None,
    ),
    "neither utf-8 nor cp1252": Rejected(
        content=b"---\ntitle: ok\nname: a\x81b\n---\n",
        stage="decode",
        code="not_utf8",
        line=3,
        column=8,
        line_begins="name: a\x81b",
    ),
    "unclosed fence": Rejected(
        content=b"---\ntitle: a\n",
        stage="fence",
        code="unclosed_fence",
        line=1,
        column=1,
        line_begins="---",
    ),
    "unclosed toml": Rejected(
        content=b"+++\ntitle = 'a'\n",
        stage="fence",
        code="unclosed_fence",
        line=1,
        column=1,
        line_begins="+++",
    ),
    "unclosed json": Rejected(
        content=b'{\n"title": "a"\n',
        stage="fence",
        code="unclosed_fence",
        line=1,
        column=1,
        line_begins="{",
    ),
    "bad yaml": Rejected(
        content=b"---\ntitle: a\nlist: [1, 2\n---\n",
        stage="parse",
        code="bad_yaml",
        line=3,
        column=7,
        line_begins="list: [1, 2",
    ),
    "open quote": Rejected(
        content=b'---\ntitle: "a\n---\n',
        stage="parse",
        code="bad_yaml",
        line=2,
        column=8,
        line_begins='title: "a',
    ),
    "unknown anchor": Rejected(
        content=b"---\ntitle: *a\n---\n",
        stage="parse",
        code="bad_yaml",
        line=2,
        column=8,
        line_begins="title: *a",
    ),
    "unhashable key": Rejected(
        content=b"---\n? {a: [1]}\n: 1\ntitle: x\n---\n",
        stage="parse",
        code="bad_yaml",
        line=2,
        column=1,
        line_begins="? {a: [1]}",
    ),
    "bad toml": Rejected(
        content=b"+++\ntitle = \n+++\n",
        stage="parse",
        code="bad_toml",
        line=2,
        column=9,
        line_begins="title = ",
    ),
    "bad json": Rejected(
        content=b'{\n"title": oops\n}\n',
        stage="parse",
        code="bad_json",
        line=2,
        column=10,
        line_begins='"title": oops',
    ),
    "lone surrogate": Rejected(
        content=b'{\n"title": "\\ud83d"\n}\n',
        stage="parse",
        code="bad_json",
        line=None,
        column=None,
        line_begins=None,
    ),
    "alias bomb": Rejected(
        content=f"---\n{BOMB}title: x\n---\n".encode(),
        stage="parse",
        code="alias_bomb",
        line=3,
        column=8,
        line_begins="b: &b [*a, *a",
    ),
    "nesting bomb": Rejected(
        content=f"---\ntitle: {'[' * 9999}\n---\n".encode(),
        stage="parse",
        code="nesting_bomb",
        line=2,
        column=263,
        line_begins="title: [[[[",
    ),
    "a list": Rejected(
        content=b"---\n- title\n---\n",
        stage="parse",
        code="not_a_mapping",
        line=2,
        column=1,
        line_begins="- title",
    ),
    "a scalar": Rejected(
        content=b"---\njust text\n---\n",
        stage="parse",
        code="not_a_mapping",
        line=2,
        column=1,
        line_begins="just text",
    ),
    "broken secured": Rejected(
        content=b'---\ntitle: a\nsecured: "s3cret;iv"x\n---\n',
        stage="parse",
        code="bad_yaml",
        line=3,
        column=21,
        line_begins="secured: ...",
    ),
}

REPAIRED = {
    "unquoted colon": Repaired(
        content="---\ntitle: x\nprovider:\n  name: DM: Diablo's Immortal\n"
        "  domain: y.example\n---\n",
        findings=[
            Finding(
                "unquoted_colon",
                "name",
                "DM: Diablo's Immortal",
                "read as if quoted",
                line=4,
                column=9,
            )
        ],
        columns={"provider_name": "DM: Diablo's Immortal"},
    ),
    "two unquoted colons": Repaired(
        content="---\ntitle: one: two\nexcerpt: three: four\n---\n",
        findings=[
            Finding("unquoted_colon", "title", "one: two", "read as if quoted", line=2, column=8),
            Finding(
                "unquoted_colon", "excerpt", "three: four", "read as if quoted", line=3, column=10
            ),
        ],
        columns={"title": "one: two", "excerpt": "three: four"},
    ),
    "mojibake": Repaired(
        content='---\nrelated:\n  - title: "Baltimoreâ€™s bad idea"\ntitle: café\n---\n',
        findings=[
            Finding(
                "mojibake",
                "related[0].title",
                "Baltimoreâ€™s bad idea",
                "decoded again",
                line=3,
                column=12,
            )
        ],
        columns={"title": "café"},
    ),
    "crlf": Repaired(
        content=b"---\r\ntitle: a\r\nheat: 5\r\n---\r\nBody\r\n",
        findings=[Finding("carriage_return", "", "5 CR", "read as line ends", line=1, column=None)],
        columns={"title": "a", "heat": 5, "body_chars": 4},
    ),
    "byte order mark": Repaired(
        content=b"\xef\xbb\xbf---\ntitle: a\n---\n",
        findings=[Finding("byte_order_mark", "", "U+FEFF", "left out", line=1, column=1)],
        columns={"title": "a"},
    ),
    "windows-1252": Repaired(
        content=b"---\ntitle: caf\xe9\n---\n",
        findings=[
            Finding("not_utf8", "", "title: café", "read as Windows-1252", line=2, column=11)
        ],
        columns={"title": "café"},
    ),
    "empty string": Repaired(
        content="---\ntitle: a\nwebUrl: \"\"\nexcerpt: ''\n---\n",
        findings=[
            Finding("empty_string", "excerpt", "", "set to null", line=4, column=10),
            Finding("empty_string", "webUrl", "", "set to null", line=3, column=9),
        ],
        columns={"web_url": None, "excerpt": None},
    ),
    "empty title": Repaired(
        content='---\ntitle: ""\n---\n',
        findings=[Finding("empty_string", "title", "", "set to null", line=2, column=8)],
        columns={"title": None},
    ),
    "number as text": Repaired(
        content=article(heat='"33"'),
        findings=[Finding("number_as_text", "heat", "33", "read as 33", line=4, column=7)],
        columns={"heat": 33},
    ),
    "decimal number": Repaired(
        content=article(heat="33.0"),
        findings=[Finding("decimal_number", "heat", "33.0", "read as 33", line=4, column=7)],
        columns={"heat": 33},
    ),
    "boolean as text": Repaired(
        content=article(published="yes"),
        findings=[
            Finding("boolean_as_text", "published", "yes", "read as true", line=5, column=12)
        ],
        columns={"published": True},
    ),
    "date without time": Repaired(
        content=article(publishedDateTime="2024-03-05"),
        findings=[
            Finding(
                "date_without_time",
                "publishedDateTime",
                "2024-03-05",
                "read as midnight UTC",
                line=6,
                column=20,
            )
        ],
        columns={"published_at": dt.datetime(2024, 3, 5, tzinfo=dt.UTC)},
    ),
    "date without zone": Repaired(
        content=article(publishedDateTime="2024-03-05T10:30:00"),
        findings=[
            Finding(
                "date_without_zone",
                "publishedDateTime",
                "2024-03-05T10:30:00",
                "read as UTC",
                line=6,
                column=20,
            )
        ],
        columns={"published_at": dt.datetime(2024, 3, 5, 10, 30, tzinfo=dt.UTC)},
    ),
    "null topic": Repaired(
        content="---\ntitle: a\ntopics:\n  - AI\n  -\n---\n",
        findings=[Finding("null_topic", "topics[1]", "null", "kept as null", line=5, column=4)],
        columns={"topics_count": 2},
    ),
    "scalar topics": Repaired(
        content=article(topics="Health"),
        findings=[
            Finding("scalar_list", "topics", "Health", "read as a list of one", line=6, column=9)
        ],
        columns={"topics_count": 1},
    ),
    "one image as a map": Repaired(
        content="---\ntitle: a\nimages:\n  url: /x.jpg\n  width: 4\n---\n",
        findings=[
            Finding(
                "single_item",
                "images",
                "{'url': '/x.jpg', 'width': 4}",
                "read as a list of one",
                line=3,
                column=8,
            )
        ],
        columns={"images_count": 1},
    ),
    "null item": Repaired(
        content="---\ntitle: a\nimages:\n  -\n  - url: /x.jpg\n---\n",
        findings=[Finding("null_item", "images[0]", None, "left out", line=4, column=4)],
        columns={"images_count": 1},
    ),
    "duplicate key": Repaired(
        content="---\ntitle: a\nheat: 1\nheat: 2\n---\n",
        findings=[
            Finding("duplicate_key", "heat", "heat", "the last one counts", line=4, column=1)
        ],
        columns={"heat": 2},
    ),
    "words for a number": Repaired(
        content=article(heat="hot"),
        findings=[Finding("invalid_number", "heat", "hot", "set to null", line=4, column=7)],
        columns={"heat": None},
    ),
    "half a number": Repaired(
        content=article(heat="50.5"),
        findings=[Finding("invalid_number", "heat", "50.5", "set to null", line=4, column=7)],
        columns={"heat": None},
    ),
    "too many digits": Repaired(
        content=article(quality="9223372036854775808"),
        findings=[
            Finding(
                "invalid_number", "quality", "9223372036854775808", "set to null", line=3, column=10
            )
        ],
        columns={"quality": None},
    ),
    "infinity": Repaired(
        content=article(heat=".inf"),
        findings=[Finding("invalid_number", "heat", ".inf", "set to null", line=4, column=7)],
        columns={"heat": None},
    ),
    "impossible date": Repaired(
        content=article(publishedDateTime="2024-02-30T10:00:00Z"),
        findings=[
            Finding(
                "invalid_date",
                "publishedDateTime",
                "2024-02-30T10:00:00Z",
                "set to null",
                line=6,
                column=20,
            )
        ],
        columns={"published_at": None},
    ),
    "words for a boolean": Repaired(
        content=article(published="maybe"),
        findings=[
            Finding("invalid_boolean", "published", "maybe", "set to null", line=5, column=12)
        ],
        columns={"published": None},
    ),
    "text for a map": Repaired(
        content=article(provider="CNN"),
        findings=[Finding("wrong_type", "provider", "CNN", "set to null", line=6, column=11)],
        columns={"provider_id": None},
    ),
    "map for text": Repaired(
        content=article(excerpt="{a: 1}"),
        findings=[Finding("wrong_type", "excerpt", "{'a': 1}", "set to null", line=6, column=10)],
        columns={"excerpt": None},
    ),
    "secured of the wrong type": Repaired(
        content=article(secured="[s3cret]"),
        findings=[Finding("wrong_type", "secured", None, "set to null", line=6, column=10)],
        columns={"secured_bytes": None},
    ),
    "bad duration": Repaired(
        content=article(length="eleven"),
        findings=[Finding("invalid_duration", "length", "eleven", "set to null", line=6, column=9)],
        columns={"duration_seconds": None},
    ),
    "no web address": Repaired(
        content=article(originalUrl="htp//x"),
        findings=[Finding("invalid_url", "originalUrl", "htp//x", "not used", line=6, column=14)],
        columns={"url": None},
    ),
    "disagreeing urls": Repaired(
        content=article(originalUrl="https://a.example/x", webUrl="https://b.example/y"),
        findings=[
            Finding(
                "url_disagreement",
                "webUrl",
                "https://b.example/y",
                "canonical is https://a.example/x",
                line=7,
                column=9,
            )
        ],
        columns={"url": "https://a.example/x"},
    ),
    "flow style": Repaired(
        content="---\n{title: a, heat: hot}\n---\n",
        findings=[Finding("invalid_number", "heat", "hot", "set to null", line=2, column=18)],
        columns={"title": "a", "heat": None},
    ),
}
