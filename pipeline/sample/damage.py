"""The defects of real sites, each done to the text of one sound article."""

from collections.abc import Callable

Defect = Callable[[str, str], tuple[str, bytes]]


def _line(key: str, line: str) -> Defect:
    """Replace the first line of a top-level key."""

    def damage(path: str, text: str) -> tuple[str, bytes]:
        lines = text.split("\n")
        at = next((at for at, old in enumerate(lines) if old.startswith(f"{key}:")), 1)
        if lines[at].startswith(f"{key}:"):
            lines[at] = line
        else:
            lines.insert(1, line)
        return path, "\n".join(lines).encode()

    return damage


def _block(key: str, replacement: list[str]) -> Defect:
    """Replace a top-level key and what is indented below it, or add it."""

    def damage(path: str, text: str) -> tuple[str, bytes]:
        lines = text.split("\n")
        start = next((at for at, old in enumerate(lines) if old.startswith(f"{key}:")), None)
        end = start or 1
        if start is not None:
            end = start + 1
            while lines[end].startswith(" "):
                end += 1
        lines[start or 1 : end] = replacement
        return path, "\n".join(lines).encode()

    return damage


def _bytes(change: Callable[[bytes], bytes]) -> Defect:
    return lambda path, text: (path, change(text.encode()))


def _mojibake(path: str, text: str) -> tuple[str, bytes]:
    broken = "The city\u2019s caf\u00e9 plan".encode().decode("cp1252")
    return _line("title", f'title: "{broken}"')(path, text)


def _alias_bomb(path: str, text: str) -> tuple[str, bytes]:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join(['*' + chr(97 + at)] * 9)}]"
        for at in range(7)
    ]
    return _block("category", lines)(path, text)


DEFECTS: list[Defect] = [
    # repaired
    _line("title", "title: Exclusive: the harbour plan that nobody read"),
    _mojibake,
    _bytes(lambda raw: raw.replace(b"\n", b"\r\n")),
    _bytes(lambda raw: b"\xef\xbb\xbf" + raw),
    _bytes(lambda raw: raw.replace(b"The ", b"Caf\xe9 talk: the ", 1)),
    _line("excerpt", 'excerpt: ""'),
    _line("heat", 'heat: "33"'),
    _line("heat", "heat: 33.0"),
    _line("publishedDateTime", "publishedDateTime: 2024-03-05"),
    _line("publishedDateTime", "publishedDateTime: 2024-03-05T10:30:00"),
    _block("topics", ["topics:", "  - Space", "  -", "  - Chips"]),
    _block("topics", ["topics: Health"]),
    _block(
        "images",
        ["images:", "  url: https://cdn.example.com/only.jpg", "  width: 640", "  height: 480"],
    ),
    _line("title", "title: 2020"),
    _line("category", "category: news\ncategory: videos"),
    # set to null
    _line("heat", "heat: hot"),
    _line("heat", "heat: 50.5"),
    _line("quality", "quality: 99999999999999999999999"),
    _line("publishedDateTime", "publishedDateTime: 2024-02-30T10:00:00Z"),
    _block("provider", ["provider: Harbour Courier"]),
    _line("originalUrl", "originalUrl: htp//broken"),
    # refused
    _bytes(lambda raw: raw.replace(b"title", b"ti\0tle", 1)),
    lambda path, text: (path, text[: text.rindex("---")].encode()),
    _line("title", 'title: "A quote that never ends'),
    _alias_bomb,
    _line("category", "category: " + "[" * 2_000 + "]" * 2_000),
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
        b'"quality": 48,\n"topics": ["Rail"]\n}\n'
        b"\nIn brief.\n",
    ),
    lambda path, text: (
        path.rpartition("/")[0] + "/odd name \u2603 'quoted'; drop.md",
        text.encode(),
    ),
]
