"""The history of an invented site: a bare git repository to which a robot commits.

It commits every two hours. Articles appear when they are published. Some heat up: heat climbs above
quality within hours and halves in a day or so. Some are suppressed for a time, a few are retitled,
move, go and come back; one is broken for two hours. The same seed gives the same commits.
"""

import datetime as dt
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.sample.site import START, Site, noise, refuse_full

EVERY = dt.timedelta(hours=2)
"""Time between commits."""
_ROBOT = "Robot <robot@site.example.com>"
_HOT = 0.35
"""Share of the published articles that heat up."""


def write_history(folder: Path, articles: int, commits: int, seed: int) -> int:
    """Write a bare repository and return its number of commits.

    Raises UsageError if `folder` is not empty.
    """
    refuse_full(folder)
    git = shutil.which("git")
    if git is None:
        raise UsageError("git: is not installed. Install it to write a history.")
    folder.mkdir(parents=True, exist_ok=True)
    creating = [git, "-c", "init.defaultBranch=main", "init", "-q", "--bare", str(folder)]
    subprocess.run(creating, check=True)
    importing = [git, "-C", str(folder), "fast-import", "--quiet", "--date-format=raw"]
    with subprocess.Popen(importing, stdin=subprocess.PIPE) as process:
        assert process.stdin
        for number, (moment, changes) in enumerate(_commits(Site(seed), articles, commits, seed)):
            process.stdin.write(_commit(number, moment, changes))
        process.stdin.close()
        if process.wait():
            raise UsageError(f"{folder}: git could not write the history. See its message above.")
    return commits


def _commit(number: int, moment: dt.datetime, changes: dict[str, bytes | None]) -> bytes:
    lines = [
        f"commit refs/heads/main\nmark :{number + 1}\n".encode(),
        f"committer {_ROBOT} {int(moment.timestamp())} +0000\n".encode(),
        b"data 11\nUpdate news\n",
        f"from :{number}\n".encode() if number else b"",
    ]
    for path, content in changes.items():
        if content is None:
            lines.append(f"D {path}\n".encode())
        else:
            lines += [f"M 100644 inline {path}\ndata {len(content)}\n".encode(), content, b"\n"]
    return b"".join(lines)


class _Story:
    """One article over time."""

    def __init__(self, site: Site, seed: int, number: int) -> None:
        self.path, self.content = site.article(number)
        self.born = site.published_at(number)
        self.chance = random.Random(f"{seed} life {number}")
        scores = re.search(rb"(?m)^quality: (\d+)\nheat: (\d+)\npublished: true$", self.content)
        self.quality = int(scores[1]) if scores else None
        self.peak = self.chance.uniform(4, 40) if self.chance.random() < _HOT else 0.0
        self.rise, self.half_life = self.chance.uniform(4, 20), self.chance.uniform(8, 40)
        self.suppressed_from = self.chance.uniform(20, 120) if self.chance.random() < 0.1 else None
        self.heat = self.quality

    def heat_at(self, moment: dt.datetime) -> int | None:
        """Return heat at a time: quality and more while it is hot; -1 while it is suppressed."""
        if self.quality is None:
            return None
        age = (moment - self.born) / dt.timedelta(hours=1)
        start = self.suppressed_from
        if start is not None and start <= age < start + 48:
            return -1
        shape = age / self.rise if age < self.rise else 0.5 ** ((age - self.rise) / self.half_life)
        return self.quality + round(self.peak * max(0.0, shape))

    def scored(self, heat: int) -> bytes:
        """Return the file with another heat."""
        self.heat = heat
        scores = f"heat: {heat}\npublished: {'false' if heat < 0 else 'true'}"
        return self._replace(r"heat: -?\d+\npublished: \w+$", scores)

    def encrypted(self) -> bytes:
        """Return the file with other ciphertext."""
        secret = f"{noise(self.chance, 272)};{noise(self.chance, 16)}"
        return self._replace('secured: "[^"]*"', f'secured: "{secret}"')

    def retitled(self) -> bytes:
        """Return the file with another headline."""
        return self._replace('title: "(.*)"$', r'title: "Update: \1"')

    def _replace(self, pattern: str, replacement: str) -> bytes:
        expression = f"(?m)^{pattern}".encode()
        self.content = re.sub(expression, replacement.encode(), self.content, count=1)
        return self.content


def _commits(
    site: Site, articles: int, commits: int, seed: int
) -> Iterator[tuple[dt.datetime, dict[str, bytes | None]]]:
    chance = random.Random(f"history {seed}")
    waiting = [_Story(site, seed, number) for number in range(articles)]
    waiting.sort(key=lambda story: story.born, reverse=True)
    moment = waiting[-1].born.replace(minute=0, second=0) if waiting else START
    live: list[_Story] = []
    later: dict[int, list[_Story]] = {}
    for number in range(commits):
        changes: dict[str, bytes | None] = {} if number else dict(site.fixed_files())
        moment += EVERY
        while waiting and waiting[-1].born <= moment:
            live.append(waiting.pop())
            changes[live[-1].path] = live[-1].content
        for story in later.pop(number, []):
            changes[story.path] = story.content
            live.append(story)
        for story in live:
            heat = story.heat_at(moment)
            if heat is not None and heat != story.heat:
                changes[story.path] = story.scored(heat)
        for story in chance.sample(live, min(2, len(live))):
            changes[story.path] = story.encrypted()
        if live and number % 10 == 9:
            story = chance.choice(live)
            if number % 40 == 9:
                changes[story.path] = story.retitled()
            elif number % 40 == 29:
                changes[story.path] = None
                story.path = re.sub("_(news|videos)/", "_news/moved-", story.path)
                changes[story.path] = story.content
            else:  # gone for a day, or broken for one commit
                is_gone = number % 40 == 19
                changes[story.path] = None if is_gone else b"---\ntitle: [half a file\n---\n"
                later.setdefault(number + (12 if is_gone else 1), []).append(story)
                live.remove(story)
        yield moment, changes
