"""Hours of trouble in minutes: runs, readers, edits, kills, going back and garbage collection at once; `make soak`.

The site consists of articles that all have the same heat, so that any reader can tell half a snapshot from a whole one, and of
files that come, go and break while runs read. After every run that ends well, the rows must be exactly those of the files;
now and then they are compared with a build from scratch. Writes `benchmarks/soak.md`; exits with 1 after any inconsistency.
"""

import argparse
import datetime as dt
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import duckdb

import pipeline

ROOT = Path(__file__).parents[1]
ACROSS_RUNS = "select path, title, heat, topics_count from articles order by path"
EXPECTED = {
    0,
    5,
    143,
    -signal.SIGKILL,
    -signal.SIGTERM,
}  # the last one: stopped before Python listens

IMPATIENT = """
import datetime
from pipeline.load import retention
retention.GRACE = datetime.timedelta(seconds=20)  # an hour is longer than the soak
from pipeline.cli import entry
entry()
"""


class Soak:
    """One soak: its site, its warehouse, and what happened."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.site, self.warehouse, self.stop = (
            folder / "site",
            folder / "warehouse",
            folder / "stop",
        )
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.heat = 0
        (self.site / "noise").mkdir(parents=True)

    def edit(self) -> None:
        """Another heat for all articles, some more or fewer of them, some elsewhere."""
        self.heat += 1
        count = self.chance.randrange(150, 250)
        for path in [*self.site.glob("*.md"), *self.site.glob("moved/*.md")]:
            path.unlink()
        moved = set(self.chance.sample(range(count), 10))
        (self.site / "moved").mkdir(exist_ok=True)
        for number in range(count):
            folder = self.site / "moved" if number in moved else self.site
            lines = (
                f"title: Title {number}\nheat: {self.heat}\nquality: {number}\ntopics: [AI, Sea]"
            )
            (folder / f"{number}.md").write_text(f"---\n{lines}\n---\nBody {self.heat}.\n")

    def make_noise(self) -> None:
        """Files that are no articles come, go and break, while runs read."""
        chance = random.Random(1)
        while not self.stop.exists():
            path = self.site / "noise" / f"{chance.randrange(40)}.md"
            if chance.random() < 0.3:
                path.unlink(missing_ok=True)
            else:
                path.write_text(
                    chance.choice(
                        [
                            "---\n",
                            "---\na: [\n---\n",
                            "no front matter\n",
                            "---\nname: other\n---\n",
                            "\0",
                        ]
                    )
                )
            time.sleep(0.005)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command of the pipeline in a process of its own."""
        command = [sys.executable, "-c", IMPATIENT, *arguments, "--warehouse", str(self.warehouse)]
        environment = os.environ | {
            "PIPELINE_KEEP_SNAPSHOTS": "3",
            "PIPELINE_KEEP_DAYS": "0",
            "PIPELINE_PART_SIZE": "60",
        }
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=self.site.parent,
        )

    def run(self, *options: str, wound: signal.Signals | None = None) -> int:
        """One run, perhaps killed or stopped at a random moment."""
        process = self.start("run", f"site={self.site}", "--quiet", *options)
        if wound:
            time.sleep(self.chance.uniform(0, 1.2))
            process.send_signal(wound)
        _, errors = process.communicate(timeout=120)
        self.counts[
            f"run {signal.Signals(-process.returncode).name if process.returncode < 0 else process.returncode}"
        ] += 1
        if process.returncode not in EXPECTED:
            self.wrong.append(f"exit {process.returncode}: {errors.strip()[-500:]}")
        return process.returncode

    def compare(self, how: str) -> None:
        """The rows of the warehouse must be those of the files."""
        with pipeline.connect(self.warehouse) as connection:
            found = connection.execute(ACROSS_RUNS).fetchall()
        paths = sorted(
            str(path.relative_to(self.site))
            for path in [*self.site.glob("*.md"), *self.site.glob("moved/*.md")]
        )
        wanted = [(path, f"Title {Path(path).stem}", self.heat, 2) for path in paths]
        self.counts["comparisons with the files"] += 1
        if found != wanted:
            self.wrong.append(
                f"{how}: {len(found)} rows, heat {found[:1]}, expected {len(wanted)} with {self.heat}"
            )

    def compare_with_full(self) -> None:
        """Two builds of a site that stands still: what changed, and from scratch."""
        self.run("--wait", "60")
        aside = self.warehouse.with_name("scratch")
        shutil.rmtree(aside, ignore_errors=True)
        copy = aside / "site"
        shutil.copytree(self.site, copy)
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pipeline",
                "run",
                f"site={copy}",
                "-q",
                "--warehouse",
                str(aside / "warehouse"),
            ],
            check=True,
        )
        rows = []
        for place in (self.warehouse, aside / "warehouse"):
            with pipeline.connect(place) as connection:
                articles = "select * exclude (article_id) from articles order by path"
                rows.append(
                    [
                        connection.execute(query).fetchall()
                        for query in (articles, "from article_topics order by all")
                    ]
                )
        self.counts["comparisons with a build from scratch"] += 1
        if rows[0] != rows[1]:
            self.wrong.append("rows differ from those of a build from scratch")

    def upkeep(self) -> None:
        """What an operator does now and then."""
        what = self.chance.choice(
            [
                ["gc", "--keep", "2", "--keep-days", "0"],
                ["rollback", "previous"],
                ["status"],
                ["check"],
            ]
        )
        process = self.start(*what)
        _, errors = process.communicate(timeout=60)
        self.counts[what[0]] += 1
        unavoidable = what[0] == "rollback" and "there is no snapshot previous" in errors
        if process.returncode and not unavoidable:
            self.wrong.append(
                f"{' '.join(what)}: exit {process.returncode}: {errors.strip()[-500:]}"
            )

    def step(self) -> None:
        """Edit, run with some mishap, then run well and compare."""
        self.edit()
        mishap = self.chance.choice(["none", "kill", "kill", "terminate", "two at once"])
        if mishap == "two at once":
            threads = [threading.Thread(target=self.run) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        elif mishap != "none":
            self.run(
                *self.chance.choice([[], ["--full"]]),
                wound=signal.SIGKILL if mishap == "kill" else signal.SIGTERM,
            )
        if self.run("--wait", "60") == 0:
            self.compare(f"after {mishap}")
        if self.chance.random() < 0.2:
            self.upkeep()


def reader(soak: Soak, kind: str) -> subprocess.Popen[str]:
    """A process that asks without pause, and fails where what it sees does not fit together."""
    command = [
        sys.executable,
        "-m",
        "tests.support.reader",
        kind,
        str(soak.warehouse),
        str(soak.stop),
    ]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def report(soak: Soak, minutes: float, told: list[dict[str, int]]) -> str:
    """The page that `make soak` writes."""
    facts = soak.counts | {
        "times that readers asked": sum(facts["asked"] for facts in told),
        "snapshots that readers saw": max((facts["seen"] for facts in told), default=0),
    }
    lines = [
        "# Soak",
        "",
        f"Written by `make soak` ({minutes:g} minutes, DuckDB {duckdb.__version__}, pipeline {pipeline.__version__}):"
        " runs, two readers, edits, kills, stops, going back and garbage collection at once.",
        "",
        "| what happened | times |",
        "|---|---|",
        *(f"| {name} | {facts[name]:,} |" for name in sorted(facts)),
        f"| **inconsistencies** | **{len(soak.wrong)}** |",
        "",
        "`run 0` ended well, `run 5` found another run at work, `run 143` was stopped, `run SIGKILL` was killed, `run SIGTERM` was"
        " stopped before it had begun.",
        "",
    ]
    return "\n".join([*lines, *(f"- {wrong}" for wrong in soak.wrong)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(dt.datetime.now(dt.UTC).timestamp()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(Path(folder), options.seed)
        soak.edit()
        soak.run()
        noise = threading.Thread(target=soak.make_noise)
        noise.start()
        readers = [reader(soak, kind) for kind in ("loop", "loop")]
        end = time.monotonic() + 60 * options.minutes
        steps = 0
        while time.monotonic() < end:
            soak.step()
            steps += 1
            if steps % 15 == 0:
                print(
                    f"{(end - time.monotonic()) / 60:.1f} minutes left, {len(soak.wrong)} inconsistencies",
                    flush=True,
                )
        soak.stop.touch()
        noise.join()
        told = []
        for process in readers:
            output, errors = process.communicate(timeout=60)
            told.append(json.loads(output or '{"asked": 0, "seen": 0}'))
            if process.returncode:
                soak.wrong.append(f"a reader: {errors.strip()[-500:]}")
        soak.compare_with_full()
        text = report(soak, options.minutes, told)
    print(text)
    (ROOT / "benchmarks" / "soak.md").write_text(text, encoding="utf-8")
    sys.exit(1 if soak.wrong else 0)


if __name__ == "__main__":
    main()
