"""A site whose texts break what is written carelessly, and what spreadsheets take for a formula."""

import json
import re
from pathlib import Path

from tests.support.world import World, article

FORMULA = re.compile(r"'+[-=+@\t\r\n]")


def hostile_world(folder: Path) -> World:
    """Commas, quotes, line ends, emoji, right-to-left text, formulas, control characters."""
    world = World(folder)
    titles = [
        "=cmd|'/C calc'!A0",
        "+1",
        "-1",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "'=quoted",
        "''",
        "a,b;c",
        'say "hi"',
        "two\nlines",
        "cr\r\nlf",
        "😀👩‍👩‍👧",
        "שלום עולם",
        "\u202eabc",
        "nul\0in",
        "esc\x1b[31m",
        "_x0041_",
        "\ufffe\uffff",
        " spaced ",
        "NULL",
        "null",
        "\\N",
        "0123",
        "1e5",
        "2024-01-01",
        "TRUE",
        "{",
        "x" * 40_000,
        "https://a.example/b",
        "é",
        "\x7f\x85",
        "<b>&amp;</b>",
        "]]>",
    ]
    files: dict[str, str | bytes] = {
        f"_news/{at:02}, '\n😀.md": json.dumps(
            {
                "title": title,
                "excerpt": title,
                "webUrl": f"https://a.example/{at}?q=a&b=1#x",
                "heat": 2**62,
                "quality": -at,
                "published": bool(at % 2),
                "publishedDateTime": f"2024-01-{at % 28 + 1:02}T10:00:00"
                f"{'.123456' if at % 2 else ''}Z",
                "topics": [title, None, "AI"],
                "rank": title,
                "related": [{"title": title, "topics": [title, None, "a,b"]}, {}],
                "images": [{"url": title, "title": title}],
            },
            indent=1,
        )
        + f"\nBody of {at}\n"
        for at, title in enumerate(titles)
    }
    files |= {
        "broken.md": "---\ntitle: [\n---\n",
        "old.md": article(publishedDateTime="0099-01-01T00:00:00Z"),
        "_people/a.md": "---\nname: A\n---\n",
    }
    world.write(files)
    world.run(keep_secured=True)
    return world
