"""Print figures of `benchmarks/` as sentences, so that the README repeats none by hand."""

import re
import textwrap
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


def _item(text: str) -> None:
    """Print an item of a list in lines of 120."""
    print(
        textwrap.fill(
            text, 120, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )
    )


def speed() -> None:
    """Print how fast runs, reports and exports are."""
    rows = _cells("results.md")
    cold, changed, unchanged = (
        rows[name] for name in ("cold build", "200 files changed", "nothing changed")
    )
    history, page = rows["whole history"], rows["the page: all reports as HTML"]
    export = rows["pipeline export articles -o articles.csv"]
    [commits] = re.findall(r"history: ([\d,]+) commits", (_FOLDER / "results.md").read_text())
    _item(
        f"**Fast.** 20,000 real files in {cold[0]} s, {cold[3]} times faster than the script that"
        f" an analyst writes in an hour; {changed[0]} s if 200 of them changed, {unchanged[0]} s if"
        f" none did; {commits} commits of a real site's git history in {history[0]} s; every report"
        f" as one HTML page in {page[0]} s; a million articles as CSV in {export[0]} s and"
        f" {export[2]} MB of memory. [How it was measured](benchmarks/results.md)."
    )


def soak() -> None:
    """Print how many kills the warehouse survived."""
    rows = _cells("soak.md")
    [minutes] = re.findall(r"\((\d+) minutes", (_FOLDER / "soak.md").read_text())
    counts = {
        name: int(cells[0].replace(",", ""))
        for name, cells in rows.items()
        if name != "what happened"
    }
    kills = sum(counts.get(name, 0) for name in ("run SIGKILL", "run SIGTERM", "run 143"))
    _item(
        "**Safe to kill.** One rename publishes all tables, so readers never wait and never see"
        f" half a run. In {minutes} minutes of kills, edits, rollbacks and clean-ups: {kills:,}"
        f" runs killed or stopped, {counts['times that readers asked']:,} reads,"
        f" {counts['inconsistencies']} inconsistencies. [How it was tested](benchmarks/soak.md)."
    )
