"""An invented news site of any size, with the defects of real sites.

Outlets lie on example domains, topics are skewed, stories link to each other. The same seed gives
the same bytes, and an article depends on its number alone, so that memory stays flat and the first
articles of a large site are those of a small one.
"""

import base64
import datetime as dt
import json
import math
import os
import random
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.sample.damage import DEFECTS

STORY = 6
"""Articles in a row that tell one story, and so relate to each other."""
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_WORDS, _PAGES = (
    json.loads(Path(__file__).with_name(name).read_bytes()) for name in ("words.json", "pages.json")
)


def write_site(folder: Path, articles: int, seed: int) -> int:
    """Write the site and return the number of files; raise UsageError if `folder` is not empty."""
    refuse_full(folder)
    site = Site(seed)
    fixed = site.fixed_files()
    for path, content in fixed:
        _write(folder / path, content)
    for number in range(articles):
        path, content = site.article(number)
        _write(folder / path, content)
        if number % 20_000 == 777:  # over the size limit, as a hole that takes no disk space
            os.truncate(folder / path, 10_000_001)
    return len(fixed) + articles


def refuse_full(folder: Path) -> None:
    """Raise UsageError if a folder is not empty."""
    if folder.exists() and (
        not folder.is_dir() or any(item.name != ".gitkeep" for item in folder.iterdir())
    ):
        raise UsageError(f"{folder}: is not empty. Name a new folder.")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


class Site:
    """All that follows from a seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        chance = random.Random(f"site {seed}")
        names = [f"{region} {paper}" for region in _WORDS["regions"] for paper in _WORDS["papers"]]
        chance.shuffle(names)
        self.outlets = [
            (name, name.lower().replace(" ", "-") + (".example.com", ".example.org")[at % 2])
            for at, name in enumerate(names)
        ]

    def fixed_files(self) -> list[tuple[str, bytes]]:
        """Return files that are not articles: sidecars, people, communities, plain Markdown."""
        texts: dict[str, str] = dict(_PAGES)
        for at, topic in enumerate(_WORDS["topics"]):
            key = topic.lower().replace(" ", "-")
            parent = "" if at < 4 else f"parent: {_WORDS['topics'][at % 4]}\n"
            texts[f"_data/topics/{at:02}-{key}.yaml"] = (
                f"taxonomy: topic\n_id: {key}\nname: {topic}\n{parent}"
                f"keywords:\n  - {topic.lower()}\n"
            )
        for name, domain in self.outlets[:5]:
            logos = "".join(_logo(domain, size, "  ") for size in (50, 400))
            texts[f"_data/organizations/{domain}.md"] = (
                f"---\ntaxonomy: organization\n_id: {domain}\nname: {name}\ndomain: {domain}\n"
                f"images:\n{logos}---\n"
            )
        return [(path, text.encode()) for path, text in texts.items()]

    def published_at(self, number: int) -> dt.datetime:
        """Return when an article was published."""
        return _Facts(self, number).published_at

    def article(self, number: int) -> tuple[str, bytes]:
        """Return path and bytes of an article."""
        facts = _Facts(self, number)
        chance = random.Random(f"{self.seed} body {number}")
        content = "\n".join(["---", *self._lines(facts, chance), "---", ""])
        if chance.random() < 0.2:
            content += f"\n{facts.title}. Said on {facts.published_at:%A}: {facts.excerpt}\n"
        folder = "_videos" if facts.is_video else "_news"
        path = f"{folder}/{facts.published_at:%Y-%m-%d}-{facts.slug}.md"
        at = number % 1_000 - 10  # each defect once in 1,000 articles, all among the first 200
        if 0 <= at < len(DEFECTS) * 6 and at % 6 == 0:
            return DEFECTS[at // 6](path, content)
        return path, content.encode()

    def _lines(self, facts: "_Facts", chance: random.Random) -> list[str]:
        domain = facts.outlet[1]
        lines = [
            f"category: {'videos' if facts.is_video else 'news'}",
            f'title: "{facts.title}"',
            f'excerpt: "{facts.excerpt}"',
            f"publishedDateTime: {facts.published_at:%Y-%m-%dT%H:%M:%SZ}",
            f'originalUrl: "{facts.url}"',
        ]
        if facts.is_video:
            lines += [
                "type: video",
                f"length: PT{chance.randint(1, 40)}M{chance.randint(0, 59)}S",
                f'featuredContent: "<iframe src=\\"{facts.url}\\"></iframe>"',
            ]
        else:
            lines.append(f'webUrl: "{facts.url}"')
            if chance.random() < 0.25:
                cache = domain.replace("-", "--").replace(".", "-")
                lines += [
                    f'ampWebUrl: "{facts.url}?amp=1"',
                    f'cdnAmpWebUrl: "https://{cache}.cdn.ampproject.org/c/s/{facts.url[8:]}?amp=1"',
                ]
            lines.append("type: article")
        lines += [*_scores(facts, chance), "", *_provider(facts, "")]
        if chance.random() < 0.1:
            lines += ["  images:", _logo(domain, 50, "    ").rstrip()]
        lines += ["", "topics:", *(f"  - {topic}" for topic in facts.topics), ""]
        lines += self._related(facts, chance)
        if chance.random() < 0.8:
            lines += ["images:", *_image(chance, domain, "  "), ""]
        return [*lines, f'secured: "{noise(chance, 272)};{noise(chance, 16)}"']

    def _related(self, facts: "_Facts", chance: random.Random) -> list[str]:
        first = facts.number - facts.number % STORY
        others = [number for number in range(first, first + STORY) if number != facts.number]
        lines = ["related:"]
        for number in others[: chance.choice((0, 0, 1, 2, 3, 5))]:
            other = _Facts(self, number)
            address = "" if chance.random() < 0.05 else other.url
            lines += [
                f'  - title: "{other.title}"',
                f'    excerpt: "{other.excerpt}"',
                f"    publishedDateTime: {other.published_at:%Y-%m-%dT%H:%M:%SZ}",
                f'    webUrl: "{address}"',
                "    type: article",
                *_provider(other, "    "),
                f"    quality: {other.quality}",
            ]
            if chance.random() < 0.9:
                lines += ["    images:", *_image(chance, other.outlet[1], "      ")]
        return [*lines, ""] if len(lines) > 1 else []


class _Facts:
    """What other articles may say about an article; it follows from seed and number alone."""

    def __init__(self, site: Site, number: int) -> None:
        self.number = number
        story = random.Random(f"{site.seed} story {number // STORY}")
        self.topics = _skewed(story, _WORDS["topics"], story.choice((1, 1, 2, 2, 3)))
        actor, thing = story.choice(_WORDS["actors"]), story.choice(_WORDS["objects"])
        broke_at = START + dt.timedelta(minutes=number // STORY * 97 % 1_051_200)
        chance = random.Random(f"{site.seed} article {number}")
        verb, tail = chance.choice(_WORDS["verbs"]), chance.choice(_WORDS["tails"])
        self.title = f"{actor} {verb} {thing} {tail}"
        months = chance.randint(2, 30)
        self.excerpt = (
            f"The {thing} has kept the {actor.lower()} busy for {months} months;"
            " now comes a turn that few foresaw..."
        )
        self.published_at = broke_at + dt.timedelta(minutes=int(chance.expovariate(1 / 300)))
        self.outlet = site.outlets[min(int(chance.paretovariate(0.8)) - 1, len(site.outlets) - 1)]
        self.is_video = chance.random() < 0.15
        self.slug = f"{self.title.lower().replace(' ', '-')}-{number}"
        self.url = f"https://{self.outlet[1]}/{self.published_at:%Y/%m}/{self.slug}"
        self.quality = max(0, round(chance.gauss(70, 30)))


def _skewed(chance: random.Random, items: list[str], count: int) -> list[str]:
    """Return different items, the k-th about 1/k times as often as the first (Zipf)."""
    weights = [1 / (at + 1) for at in range(len(items))]
    return list(dict.fromkeys(chance.choices(items, weights, k=count)))


def _scores(facts: _Facts, chance: random.Random) -> list[str]:
    state = chance.random()
    if state < 0.05:
        return ["heat:"]
    if state < 0.15:
        return []
    if state < 0.40:
        return [f"quality: {facts.quality}", "heat: -1", "published: false"]
    extra = int(math.expm1(chance.expovariate(1.2))) if chance.random() < 0.1 else 0
    return [f"quality: {facts.quality}", f"heat: {facts.quality + extra}", "published: true"]


def _provider(facts: _Facts, indent: str) -> list[str]:
    name, domain = facts.outlet
    return [f"{indent}provider:", f"{indent}  name: {name}", f"{indent}  domain: {domain}"]


def _logo(domain: str, size: int, indent: str) -> str:
    return (
        f"{indent}- url: /assets/images/organizations/{domain}-{size}x{size}.png\n"
        f"{indent}  width: {size}\n{indent}  height: {size}\n"
    )


def _image(chance: random.Random, domain: str, indent: str) -> list[str]:
    width, height = chance.choice(((1200, 675), (1200, 802), (800, 450), (640, 480)))
    return [
        f"{indent}- url: https://{domain}/images/{chance.randrange(16**8):08x}.jpg",
        f"{indent}  width: {width}",
        f"{indent}  height: {height}",
        f"{indent}  isCached: {'true' if chance.random() < 0.9 else 'false'}",
    ]


def noise(chance: random.Random, size: int) -> str:
    """Return random bytes as base64, which looks like ciphertext."""
    return base64.b64encode(chance.randbytes(size)).decode()
