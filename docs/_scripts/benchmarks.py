"""Print figures of `benchmarks/results.md` and `benchmarks/soak.md` as sentences, so that the README repeats no number by hand."""

import re
from pathlib import Path

_FOLDER = Path(__file__).parents[2] / "benchmarks"


def _cells(file: str) -> dict[str, list[str]]:
    """Return the cells of every table row by the row's first cell."""
    rows = {}
    for line in (_FOLDER / file).read_text().splitlines():
        if line.startswith("| "):
            name, *cells = (cell.strip(" *`") for cell in line.strip("|").split("|"))
            rows[name] = cells
    return rows


def speed() -> None:
    """Print how fast runs, reports and exports are."""
    rows = _cells("results.md")
    cold, changed, unchanged = (
        rows[name] for name in ("cold build", "200 files changed", "nothing changed")
    )
    history, page = rows["whole history"], rows["the page: all reports as HTML"]
    export = rows["pipeline export articles -o articles.csv"]
    [commits] = re.findall(r"history: ([\d,]+) commits", (_FOLDER / "results.md").read_text())
    print(
        f"- **Fast.** 20,000 real files in {cold[0]} s, {cold[3]} times faster than the script that an analyst\n"
        f"  writes in an hour; {changed[0]} s if 200 of them changed, {unchanged[0]} s if none did; {commits} commits of a real site's git history in {history[0]} s; every report\n"
        f"  as one HTML page in {page[0]} s; a million articles as CSV in {export[0]} s and {export[2]} MB of memory.\n"
        "  [How it was measured](benchmarks/results.md)."
    )


def soak() -> None:
    """Print how many kills the warehouse survived."""
    rows = _cells("soak.md")
    kills = sum(int(rows[name][0]) for name in ("run SIGKILL", "run SIGTERM", "run 143"))
    print(
        f"- **Safe to kill.** One rename publishes all tables, so readers never wait and never see half a run. In [ten\n"
        f"  minutes of kills, edits, rollbacks and clean-ups](benchmarks/soak.md): {kills} runs killed or stopped, {rows['times that readers asked'][0]} reads,\n"
        f"  {rows['inconsistencies'][0]} inconsistencies."
    )
