"""Run, read, edit, kill, roll back and collect garbage at the same time, for minutes (`make soak`).

All articles of the site have the same heat, so that any reader can tell a mixed snapshot from a
consistent one; other files come, go and break while runs read. After every run that succeeds, the
rows must be exactly those of the files; at the end they are compared with a build from scratch.
Writes `benchmarks/soak.md`, and exits with 1 after any inconsistency.
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
EXPECTED = {0, 5, 143, -signal.SIGKILL, -signal.SIGTERM}
"""Exit statuses of runs; SIGTERM itself if a run is stopped before Python handles signals."""
PIPELINE = """
import datetime
from pipeline.load import retention
retention.GRACE = datetime.timedelta(seconds=20)  # an hour is longer than the soak
from pipeline.cli import entry
entry()
"""


class Soak:
    """A site, its warehouse, and counts of what happened."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.site, self.warehouse = folder / "site", folder / "warehouse"
        self.stop = folder / "stop"
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.inconsistencies: list[str] = []
        self.heat = 0
        (self.site / "noise").mkdir(parents=True)

    def edit(self) -> None:
        """Give all articles another heat, change their number, and move some."""
        self.heat += 1
        count = self.chance.randrange(150, 250)
        for path in self.articles():
            path.unlink()
        moved = set(self.chance.sample(range(count), 10))
        (self.site / "moved").mkdir(exist_ok=True)
        for number in range(count):
            folder = self.site / "moved" if number in moved else self.site
            lines = (
                f"title: Title {number}\nheat: {self.heat}\nquality: {number}\ntopics: [AI, Sea]"
            )
            (folder / f"{number}.md").write_text(f"---\n{lines}\n---\nBody {self.heat}.\n")

    def articles(self) -> list[Path]:
        """Return the paths of all articles."""
        return [*self.site.glob("*.md"), *self.site.glob("moved/*.md")]

    def make_noise(self) -> None:
        """Create, remove and break files that are not articles, until told to stop."""
        chance = random.Random(1)
        contents = (
            "---\n",
            "---\na: [\n---\n",
            "no front matter\n",
            "---\nname: other\n---\n",
            "\0",
        )
        while not self.stop.exists():
            path = self.site / "noise" / f"{chance.randrange(40)}.md"
            if chance.random() < 0.3:
                path.unlink(missing_ok=True)
            else:
                path.write_text(chance.choice(contents))
            time.sleep(0.005)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of the pipeline."""
        command = [sys.executable, "-c", PIPELINE, *arguments, "--warehouse", str(self.warehouse)]
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

    def run(self, *options: str, stop_by: signal.Signals | None = None) -> int:
        """Run the pipeline, killed or stopped at a random moment with `stop_by`."""
        process = self.start("run", f"site={self.site}", "--quiet", *options)
        if stop_by:
            time.sleep(self.chance.uniform(0, 1.2))
            process.send_signal(stop_by)
        _, errors = process.communicate(timeout=120)
        status = process.returncode
        self.counts[f"run {signal.Signals(-status).name if status < 0 else status}"] += 1
        if status not in EXPECTED:
            self.inconsistencies.append(f"exit {status}: {errors.strip()[-500:]}")
        return status

    def compare(self, how: str) -> None:
        """Compare the rows of the warehouse with the files."""
        sql = "select path, title, heat, topics_count from articles order by path"
        with pipeline.connect(self.warehouse) as connection:
            rows = connection.execute(sql).fetchall()
        paths = sorted(str(path.relative_to(self.site)) for path in self.articles())
        expected = [(path, f"Title {Path(path).stem}", self.heat, 2) for path in paths]
        self.counts["comparisons with the files"] += 1
        if rows != expected:
            self.inconsistencies.append(
                f"{how}: {len(rows)} rows such as {rows[:1]}"
                f" (expected {len(expected)} of heat {self.heat})"
            )

    def compare_with_full(self) -> None:
        """Compare the warehouse with a build from scratch, of a site that rests."""
        self.run("--wait", "60")
        aside = self.warehouse.with_name("scratch")
        shutil.rmtree(aside, ignore_errors=True)
        copy = aside / "site"
        shutil.copytree(self.site, copy)
        build = [sys.executable, "-m", "pipeline", "run", f"site={copy}", "--quiet"]
        subprocess.run([*build, "--warehouse", str(aside / "warehouse")], check=True)
        queries = (
            "select * exclude (article_id) from articles order by path",
            "from article_topics order by all",
        )
        rows = []
        for warehouse in (self.warehouse, aside / "warehouse"):
            with pipeline.connect(warehouse) as connection:
                rows.append([connection.execute(query).fetchall() for query in queries])
        self.counts["comparisons with a build from scratch"] += 1
        if rows[0] != rows[1]:
            self.inconsistencies.append("rows differ from those of a build from scratch")

    def maintain(self) -> None:
        """Run a command that an operator runs now and then."""
        commands = ("gc --keep 2 --keep-days 0", "rollback previous", "status", "check")
        command = self.chance.choice(commands)
        process = self.start(*command.split())
        _, errors = process.communicate(timeout=60)
        self.counts[command.split()[0]] += 1
        unavoidable = command.startswith("rollback") and "no snapshot previous" in errors
        if process.returncode and not unavoidable:
            self.inconsistencies.append(
                f"{command}: exit {process.returncode}: {errors.strip()[-500:]}"
            )

    def step(self) -> None:
        """Edit, run with some mishap, then run undisturbed and compare."""
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
                stop_by=signal.SIGKILL if mishap == "kill" else signal.SIGTERM,
            )
        if self.run("--wait", "60") == 0:
            self.compare(f"after {mishap}")
        if self.chance.random() < 0.2:
            self.maintain()


def reader(soak: Soak, kind: str) -> subprocess.Popen[str]:
    """Start a process that queries without pause, and fails if rows are inconsistent."""
    command = [sys.executable, "-m", "tests.support.reader", kind]
    return subprocess.Popen(
        [*command, str(soak.warehouse), str(soak.stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def report(soak: Soak, minutes: float, readings: list[dict[str, int]]) -> str:
    """Return the page that `make soak` writes."""
    counts = soak.counts | {
        "queries of readers": sum(reading["asked"] for reading in readings),
        "snapshots that a reader saw": max((reading["seen"] for reading in readings), default=0),
    }
    lines = [
        "# Soak",
        "",
        f"Written by `make soak` ({minutes:g} minutes, DuckDB {duckdb.__version__}, pipeline"
        f" {pipeline.__version__}): runs, two readers, edits, kills, stops, rollbacks and garbage"
        " collection at the same time.",
        "",
        "| what happened | times |",
        "|---|---|",
        *(f"| {name} | {counts[name]:,} |" for name in sorted(counts)),
        f"| **inconsistencies** | **{len(soak.inconsistencies)}** |",
        "",
        "`run 0` succeeded, `run 5` found the lock held, `run 143` was stopped, `run SIGKILL` was"
        " killed, `run SIGTERM` was stopped before it handled signals.",
        "",
    ]
    return "\n".join([*lines, *(f"- {line}" for line in soak.inconsistencies)])


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
                left = (end - time.monotonic()) / 60
                print(f"{left:.1f} minutes left, {len(soak.inconsistencies)} inconsistencies")
        soak.stop.touch()
        noise.join()
        readings = []
        for process in readers:
            output, errors = process.communicate(timeout=60)
            readings.append(json.loads(output or '{"asked": 0, "seen": 0}'))
            if process.returncode:
                soak.inconsistencies.append(f"a reader: {errors.strip()[-500:]}")
        soak.compare_with_full()
        text = report(soak, options.minutes, readings)
    print(text)
    (ROOT / "benchmarks" / "soak.md").write_text(text, encoding="utf-8")
    sys.exit(1 if soak.inconsistencies else 0)


if __name__ == "__main__":
    main()
