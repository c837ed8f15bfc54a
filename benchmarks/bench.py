"""Time whole processes and write `benchmarks/results.md` (`make bench`, some minutes).

`bench.py --quick` runs one round on a small site and only prints. Wall and processor time are those
of finished processes as the kernel counts them. Peak memory is the proportional set size (PSS) of
the whole process tree, sampled every 10 ms in a round of its own, so that sampling does not disturb
timing. Commands that are compared take turns, and the median counts.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pipeline
from pipeline.views.relations import relations

ROOT = Path(__file__).parents[1]
WORK = ROOT / "benchmarks" / "scratch"
SHARED = ROOT.parent / "shared"
PIPELINE = str(Path(sys.executable).with_name("pipeline"))
Command = list[str]


class Cost(NamedTuple):
    """Seconds of wall and processor time."""

    wall: float
    processor: float


def timed(command: Command) -> Cost:
    """Run a command and return its cost. Raises CalledProcessError if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=WORK
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def peak_memory(command: Command) -> float:
    """Run a command and return the largest PSS of its process tree, in MB."""
    peak = 0
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=WORK
    ) as process:
        while process.poll() is None:
            peak = max(peak, sum(_pss(pid) for pid in _tree(process.pid)))
            time.sleep(0.01)
    return peak / 1000


def _tree(pid: int) -> list[int]:
    pids = [pid]
    for parent in pids:
        for path in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                pids += map(int, path.read_text().split())
            except OSError:
                continue
    return pids


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def in_turn(rounds: int, measures: dict[str, Callable[[], Cost]]) -> dict[str, Cost]:
    """Return the median of each measure; they take turns, and a first round does not count."""
    costs_of: dict[str, list[Cost]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            cost = measure()
            if number:
                costs_of[name].append(cost)
    return {
        name: Cost(
            statistics.median(cost.wall for cost in costs),
            statistics.median(cost.processor for cost in costs),
        )
        for name, costs in costs_of.items()
    }


def generated(articles: int) -> Path:
    """Return the folder of a generated site, written once."""
    folder = WORK / f"sample-{articles}"
    if not folder.exists():
        print(f"writing {articles:,} articles", flush=True)
        aside = folder.with_suffix(".tmp")
        shutil.rmtree(aside, ignore_errors=True)
        subprocess.run(
            [PIPELINE, "sample", str(aside), "--articles", str(articles)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        aside.rename(folder)
    return folder


def versions() -> Path | None:
    """Return the folder of 20,000 real file versions, if they lie beside the checkout."""
    archive = SHARED / "corpus" / "versions-20k.tar.xz"
    folder = WORK / "versions-20k"
    if archive.exists() and not folder.exists():
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
    return folder if folder.exists() else None


def cold(site: Path) -> Callable[[], Cost]:
    """Measure a build into a new warehouse."""

    def measure() -> Cost:
        shutil.rmtree(WORK / "cold", ignore_errors=True)
        return timed(build(site, "cold"))

    return measure


def changing(site: Path) -> Callable[[], Cost]:
    """Measure a run after a line was added to 200 files across the site."""
    files = sorted(path for path in site.rglob("*.md") if path.stat().st_size < 1_000_000)

    def measure() -> Cost:
        for path in files[:: max(1, len(files) // 200)][:200]:
            with path.open("a") as file:
                file.write("One more line.\n")
        return timed(build(site, "changing"))

    return measure


def build(site: Path, warehouse: str) -> Command:
    """Return the command that builds a site."""
    return [PIPELINE, "run", f"site={site}", "--warehouse", str(WORK / warehouse), "--quiet"]


def read_every_byte(site: Path) -> Command:
    """Return the command that lists, stats and reads every file and nothing else: the floor."""
    program = (
        "import os, sys\n"
        "for folder, _, names in os.walk(sys.argv[1]):\n"
        "    for name in names:\n"
        "        path = folder + '/' + name; os.stat(path); open(path, 'rb').read()"
    )
    return [sys.executable, "-c", program, str(site)]


def survives(command: Command) -> bool:
    """Return whether a command succeeds: naive.py fails on a site with every kind of defect."""
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=WORK, check=False
    )
    return done.returncode == 0


def compare(site: Path, rounds: int) -> list[str]:
    """Return the table of one corpus: floor, yardstick, cold build, run without changes."""
    yardstick = SHARED / "bench" / "naive.py"
    naive = [sys.executable, str(yardstick), str(site), str(WORK / "naive")]
    edited = WORK / "edited"
    for name in ("warm", "changing", "edited"):
        shutil.rmtree(WORK / name, ignore_errors=True)
    shutil.copytree(site, edited)
    subprocess.run(build(site, "warm"), check=True)
    subprocess.run(build(edited, "changing"), check=True)
    measures: dict[str, Callable[[], Cost]] = {
        "read every byte once": lambda: timed(read_every_byte(site)),
        "cold build": cold(site),
        "200 files changed": changing(edited),
        "nothing changed": lambda: timed(build(site, "warm")),
    }
    comparable = yardstick.exists() and survives(naive)
    if comparable:
        measures["naive.py"] = lambda: timed(naive)
    costs = in_turn(rounds, measures)
    shutil.rmtree(WORK / "cold", ignore_errors=True)
    memory = {
        "cold build": peak_memory(build(site, "cold")),
        "nothing changed": peak_memory(build(site, "warm")),
    }
    if comparable:
        memory["naive.py"] = peak_memory(naive)
    base = costs.get("naive.py")
    lines = [
        "| work | wall s | processor s | peak memory MB | times faster than naive.py (wall)"
        " | (processor) |",
        "|---|---|---|---|---|---|",
    ]
    for name, cost in costs.items():
        ratios = (
            [f"{base.wall / cost.wall:.1f}", f"{base.processor / cost.processor:.1f}"]
            if base
            else ["", ""]
        )
        peak = f"{memory[name]:.0f}" if name in memory else ""
        cells = [name, f"{cost.wall:.2f}", f"{cost.processor:.2f}", peak, *ratios]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def reports(site: Path) -> list[str]:
    """Return the times of the page, of a report in a terminal, and of every view by itself."""
    subprocess.run(build(site, "warm"), check=True)
    commands = {
        "the page: all reports as HTML": ["report", "all", "-o", str(WORK / "report.html")],
        "`pipeline report quality`": ["report", "quality"],
        '`pipeline query "select 1"`': ["query", "select 1"],
    }
    warehouse = ["--warehouse", str(WORK / "warm")]
    measures = {
        name: partial(timed, [PIPELINE, *words, *warehouse]) for name, words in commands.items()
    }
    costs = in_turn(3, measures)
    lines = [
        "| work | wall s |",
        "|---|---|",
        *(f"| {name} | {cost.wall:.2f} |" for name, cost in costs.items()),
    ]
    connection = pipeline.connect(WORK / "warm")
    seconds = {}
    for relation in relations("views", "reports"):
        start = time.perf_counter()
        connection.execute(f"from {relation.name}").fetchall()
        seconds[relation.name] = time.perf_counter() - start
    slowest = max(seconds, key=seconds.__getitem__)
    size = (WORK / "report.html").stat().st_size / 1e6
    total = sum(seconds.values())
    return [
        *lines,
        f"| every row of all {len(seconds)} views, one after the other | {total:.2f} |",
        "",
        f"The page has {size:.1f} MB. The slowest view is `{slowest}`: {seconds[slowest]:.2f} s.",
    ]


def exports(site: Path, sources: int) -> list[str]:
    """Return the costs of exporting articles, beside a plain COPY by DuckDB.

    The warehouse holds the site as several `sources`, each under another name.
    """
    shutil.rmtree(WORK / "many", ignore_errors=True)
    named = [f"site{number}={site}" for number in range(sources)]
    subprocess.run(
        [PIPELINE, "run", *named, "--warehouse", str(WORK / "many"), "--quiet"], check=True
    )
    [(articles,)] = (
        pipeline.connect(WORK / "many").execute("select count(*) from articles").fetchall()
    )
    program = (
        "import sys, pipeline\n"
        "copy = \"copy articles to 'plain.csv' (format csv, header)\"\n"
        "pipeline.connect(sys.argv[1]).execute(copy)"
    )
    outputs = (
        ["articles.csv"],
        ["articles.csv", "--order-by", "title"],
        ["articles.jsonl"],
        ["articles.parquet"],
    )
    export = [PIPELINE, "export", "articles", "-w", str(WORK / "many"), "-o"]
    commands = {
        f"`pipeline export articles -o {' '.join(words)}`": [*export, *words] for words in outputs
    }
    commands["plain COPY by DuckDB, as CSV"] = [sys.executable, "-c", program, str(WORK / "many")]
    costs = in_turn(3, {name: partial(timed, command) for name, command in commands.items()})
    lines = [
        f"{articles:,} articles, whole processes.",
        "",
        "| work | wall s | rows per s | peak memory MB |",
        "|---|---|---|---|",
    ]
    for name, command in commands.items():
        wall = costs[name].wall
        lines.append(
            f"| {name} | {wall:.2f} | {articles / wall:,.0f} | {peak_memory(command):.0f} |"
        )
    for name in ("articles.csv", "articles.jsonl", "articles.parquet", "plain.csv"):
        (WORK / name).unlink()
    shutil.rmtree(WORK / "many")
    return lines


def histories(rounds: int, commits: int) -> list[str]:
    """Return the costs of a repository's whole history, of its newest 20 commits, and of none.

    The time that git alone needs for it stands beside them.
    """
    repository, named = WORK / "history.git", "a real site's history"
    shutil.rmtree(repository, ignore_errors=True)
    bundle = SHARED / "corpus" / "powerapps-news.bundle"
    if bundle.exists() and commits > 200:
        subprocess.run(["git", "clone", "-q", "--bare", str(bundle), str(repository)], check=True)
    else:
        named = "a generated history"
        subprocess.run(
            [PIPELINE, "sample", str(repository), "--commits", str(commits)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    git = ["git", "-C", str(repository)]
    program = (
        'cd "$1" && git log --first-parent -m --raw -z --no-abbrev --no-renames --format=%H main'
        ' | tr "\\0" "\\n" | grep -a "^:" | cut -d" " -f4 | git cat-file --batch | wc -c'
    )
    subprocess.run([*git, "update-ref", "refs/heads/now", "main~20"], check=True)
    command = [PIPELINE, "run", f"site=git+file://{repository}#now", "--quiet", "--warehouse"]
    for name in ("behind", "whole"):
        shutil.rmtree(WORK / name, ignore_errors=True)
    subprocess.run([*command, str(WORK / "behind")], check=True)
    subprocess.run([*git, "update-ref", "refs/heads/now", "main"], check=True)
    subprocess.run([*command, str(WORK / "whole")], check=True)

    def whole() -> Cost:
        shutil.rmtree(WORK / "fresh", ignore_errors=True)
        return timed([*command, str(WORK / "fresh")])

    def newest() -> Cost:
        shutil.rmtree(WORK / "fresh", ignore_errors=True)
        shutil.copytree(WORK / "behind", WORK / "fresh", symlinks=True)
        return timed([*command, str(WORK / "fresh")])

    measures: dict[str, Callable[[], Cost]] = {
        "git log and every version, by git alone": lambda: timed(
            ["sh", "-c", program, "sh", str(repository)]
        ),
        "whole history": whole,
        "the newest 20 commits": newest,
        "nothing new": lambda: timed([*command, str(WORK / "whole")]),
    }
    costs = in_turn(rounds, measures)
    shutil.rmtree(WORK / "fresh")
    peak = peak_memory([*command, str(WORK / "fresh")])
    with pipeline.connect(WORK / "whole") as connection:
        [counts] = connection.execute(
            "select count(*), sum(new + content + score_only + secured_only + moved + deleted"
            " + rejected + skipped) from revisions"
        ).fetchall()
    lines = [
        f"On {named}: {counts[0]:,} commits, {counts[1]:,} changes of files.",
        "",
        "| work | wall s | processor s |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} | {cost.wall:.2f} | {cost.processor:.2f} |" for name, cost in costs.items()
    ]
    return [*lines, "", f"The whole history takes {peak:.0f} MB at most."]


def sizes(small: int, large: int) -> list[str]:
    """Return the time and memory of a small and a large site."""
    lines = [
        "| generated articles | wall s | µs per article | peak memory MB"
        " | Parquet bytes per article |",
        "|---|---|---|---|---|",
    ]
    peaks = []
    for articles in (small, large):
        site = generated(articles)
        cost = cold(site)()
        written = sum(path.stat().st_size for path in (WORK / "cold" / "parts").rglob("*.parquet"))
        shutil.rmtree(WORK / "cold")
        peaks.append(peak_memory(build(site, "cold")))
        each = f"{cost.wall:.2f} | {cost.wall / articles * 1e6:.0f}"
        lines.append(f"| {articles:,} | {each} | {peaks[-1]:.0f} | {written / articles:.0f} |")
    return [
        *lines,
        "",
        f"{large / small:.0f} times the articles need {peaks[1] / peaks[0]:.2f} times the memory.",
    ]


def machine() -> str:
    """Return the processors, the system and the versions of packages, in one sentence."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("duckdb", "pyarrow", "pandas", "yaml-rs", "msgspec")
    )
    cores = len(os.sched_getaffinity(0))
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{cores} processors, {system}, {packages}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one round on a small site, print only"
    )
    quick = parser.parse_args().quick
    WORK.mkdir(parents=True, exist_ok=True)
    rounds, small, large = (1, 2_000, 4_000) if quick else (5, 20_000, 200_000)
    real = None if quick else versions()
    site = real or generated(small)
    named = "20,000 real file versions" if real else f"{small:,} generated articles"
    starts = {"help": [PIPELINE, "--help"], "python": [sys.executable, "-c", ""]}
    started = in_turn(
        1 if quick else 5, {name: partial(timed, command) for name, command in starts.items()}
    )
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench`. {machine()} Medians of {rounds} rounds; commands took turns.",
        "",
        f"## {named}",
        "",
        *compare(site, rounds),
        "",
        "`naive.py` is what a competent analyst writes in an hour with the same packages; it reads"
        " everything every time.",
        "",
        "## Reports",
        "",
        f"On {named}.",
        "",
        *reports(site),
        "",
        "## Exports",
        "",
        *exports(generated(small if quick else large), 2 if quick else 5),
        "",
        "## History",
        "",
        *histories(1 if quick else 5, 100 if quick else 2_000),
        "",
        "## Size",
        "",
        *sizes(small, large),
        "",
        "## Start",
        "",
        f"`pipeline --help`: {started['help'].wall:.2f} s, of which starting Python takes"
        f" {started['python'].wall:.2f} s.",
        "",
    ]
    text = "\n".join(lines)
    print(text)
    if not quick:
        (ROOT / "benchmarks" / "results.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
