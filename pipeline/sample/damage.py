"""The defects of real sites, each done to the text of one sound article."""

from collections.abc import Callable
from itertools import pairwise

Defect = Callable[[str, str], tuple[str, bytes]]


def _key(key: str, replacement: str) -> Defect:
    """Replace a top-level key and what is indented below it, or add it."""

    def damage(path: str, text: str) -> tuple[str, bytes]:
        lines = text.split("\n")
        start = next((at for at, line in enumerate(lines) if line.startswith(f"{key}:")), None)
        end = start or 1
        if start is not None:
            end = start + 1
            while lines[end].startswith(" "):
                end += 1
        lines[start or 1 : end] = [replacement]
        return path, "\n".join(lines).encode()

    return damage


def _bytes(change: Callable[[bytes], bytes]) -> Defect:
    return lambda path, text: (path, change(text.encode()))


def _mojibake(path: str, text: str) -> tuple[str, bytes]:
    broken = "The city\u2019s caf\u00e9 plan".encode().decode("cp1252")
    return _key("title", f'title: "{broken}"')(path, text)


def _alias_bomb(path: str, text: str) -> tuple[str, bytes]:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for inner, outer in pairwise("abcdefgh"):
        lines.append(f"{outer}: &{outer} [{', '.join([f'*{inner}'] * 9)}]")
    return _key("category", "\n".join(lines))(path, text)


DEFECTS: list[Defect] = [
    # repaired
    _key("title", "title: Exclusive: the harbour plan that nobody read"),
    _mojibake,
    _bytes(lambda raw: raw.replace(b"\n", b"\r\n")),
    _bytes(lambda raw: b"\xef\xbb\xbf" + raw),
    _bytes(lambda raw: raw.replace(b"The ", b"Caf\xe9 talk: the ", 1)),
    _key("excerpt", 'excerpt: ""'),
    _key("heat", 'heat: "33"'),
    _key("heat", "heat: 33.0"),
    _key("publishedDateTime", "publishedDateTime: 2024-03-05"),
    _key("publishedDateTime", "publishedDateTime: 2024-03-05T10:30:00"),
    _key("topics", "topics:\n  - Space\n  -\n  - Chips"),
    _key("topics", "topics: Health"),
    _key("images", "images:\n  url: https://cdn.example.com/only.jpg\n  width: 640\n  height: 480"),
    _key("title", "title: 2020"),
    _key("category", "category: news\ncategory: videos"),
    # set to null
    _key("heat", "heat: hot"),
    _key("heat", "heat: 50.5"),
    _key("quality", "quality: 99999999999999999999999"),
    _key("publishedDateTime", "publishedDateTime: 2024-02-30T10:00:00Z"),
    _key("provider", "provider: Harbour Courier"),
    _key("originalUrl", "originalUrl: htp//broken"),
    # refused
    _bytes(lambda raw: raw.replace(b"title", b"ti\0tle", 1)),
    lambda path, text: (path, text[: text.rindex("---")].encode()),
    _key("title", 'title: "A quote that never ends'),
    _alias_bomb,
    _key("category", "category: " + "[" * 2_000 + "]" * 2_000),
    # other syntaxes and names, all right
    lambda path, text: (
        path.replace(".md", ".html"),
        (text + "<p>A page in <b>HTML</b>.</p>\n").encode(),
    ),
    lambda path, text: (
        path,
        b'+++\ntitle = "Observatory opens for one night"\n'
        b'publishedDateTime = 2024-04-01T08:00:00Z\nquality = 61\ntopics = ["Space"]\n'
        b'[provider]\nname = "Granite Signal"\ndomain = "granite-signal.example.com"\n+++\n',
    ),
    lambda path, text: (
        path,
        b'{\n"title": "Tram line reopens",\n"publishedDateTime": "2024-04-02T08:00:00Z",\n'
        b'"quality": 48,\n"topics": ["Rail"]\n}\n\nIn brief.\n',
    ),
    lambda path, text: (
        path.rpartition("/")[0] + "/odd name \u2603 'quoted'; drop.md",
        text.encode(),
    ),
]
