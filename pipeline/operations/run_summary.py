"""Summarize a run at its end: for people, and for machines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pipeline.extract.sources import shown
from pipeline.load.retention import Swept
from pipeline.runs.record import RunResult
from pipeline.text import counted, printable

_TEMPLATE = Path(__file__).parent / "templates" / "run_summary.txt"
LISTED = 6
"""Names that a list in a sentence has at most."""


def as_object(result: RunResult) -> dict[str, Any]:
    """Return the result as one JSON object."""
    record, ledger = msgspec.to_builtins(result.record), msgspec.to_builtins(result.ledger)
    documents = ("files", "articles", "other", "skipped", "rejected")
    seconds = [name for name in record if name.startswith("seconds_")]
    return {
        **{name: record[name] for name in record if name not in {*documents, *ledger, *seconds}},
        "published": result.published,
        "warehouse": result.warehouse,
        "sources": [{"name": source.name, "path": source.path} for source in result.sources],
        "documents": {name: record[name] for name in documents},
        "files": ledger,
        "tables": result.tables,
        "findings_by_rule": result.findings,
        "rejections_by_code": result.rejections,
        "unknown_fields": result.unknown_fields,
        "checks": msgspec.to_builtins(result.checks),
        "seconds": {name.removeprefix("seconds_"): record[name] for name in seconds},
    }


def as_text(result: RunResult, command: str, options: str) -> str:
    """Return the summary for a person.

    It has counts that sum, what was repaired or rejected, what was published, and commands to try
    next: `command` and `options` are those of this run.
    """
    record = result.record
    return _TEMPLATE.read_text().format(
        record=record,
        files=counted(record.files, "file"),
        sources=", ".join(printable(shown(source.path)) for source in result.sources),
        rejections=f": {_listed(result.rejections)}" if record.rejected else "",
        notes="\n".join([*_notes(result), _outcome(result)]),
        defects="rejects" if record.rejected else "findings",
        command=command,
        options=options,
    )


def _notes(result: RunResult) -> list[str]:
    """Return a sentence about each thing that an operator should know."""
    record, notes = result.record, []
    if record.message:
        notes.append(f"Note: {printable(record.message)}.")
    if record.rebuilt:
        notes.append(f"Every part was built again: {record.rebuilt}.")
    if changes := _changes(result):
        notes.append(f"Since the last snapshot: {_listed(changes)}.")
    if findings := result.findings:
        total = sum(findings.values())
        notes.append(f"Repaired or set to null: {total:,} values ({_listed(findings)}).")
    if fields := result.unknown_fields:
        notes.append(f"Unknown fields, kept in articles.extra: {_listed(fields)}.")
    if observations := result.tables.get("observations"):
        revisions = counted(result.tables["revisions"], "revision")
        observed = counted(observations, "observation")
        notes.append(f"History: {observed} of articles in {revisions}.")
    warned = [f"{check.name} ({check.rows:,})" for check in result.checks if check.rows]
    warnings = f", warned: {', '.join(warned)}" if warned else ""
    notes.append(f"Checks: {len(result.checks) - len(warned)} passed{warnings}.")
    return notes


def _changes(result: RunResult) -> dict[str, int]:
    """Return how many files changed in which way; empty if all are new or listed above."""
    ledger: dict[str, int] = msgspec.to_builtins(result.ledger)
    changed = {name: n for name, n in ledger.items() if n and name not in ("rejected", "skipped")}
    changes = {name.replace("_", " "): number for name, number in changed.items()}
    return changes if changes.keys() - {"new"} else {}


def _outcome(result: RunResult) -> str:
    record, warehouse = result.record, printable(shown(result.warehouse))
    tables, snapshot = result.tables, record.snapshot
    texts = {
        "published": f"Published {len(tables)} tables with {sum(tables.values()):,} rows in"
        f" {warehouse} as snapshot {snapshot}.",
        "unchanged": f"Nothing changed: snapshot {snapshot} in {warehouse} stays published.",
        "dry_run": f"Dry run: nothing published; {warehouse} still shows {snapshot or 'nothing'}.",
    }
    return texts.get(record.outcome, record.outcome)


def swept_text(swept: Swept, *, dry_run: bool) -> str:
    """Return a line about what garbage collection removed."""
    verb = "Would remove" if dry_run else "Removed"
    kept = f"{counted(len(swept.kept), 'snapshot')} remain{'s' if len(swept.kept) == 1 else ''}"
    return (
        f"{verb} {counted(len(swept.removed), 'snapshot')} and {counted(swept.files, 'file')}"
        f" ({swept.bytes:,} bytes); {kept}."
    )


def _listed(counts: Mapping[str, int]) -> str:
    items = [f"{printable(name)} {count:,}" for name, count in counts.items()]
    more = len(items) - LISTED
    return ", ".join(items[:LISTED]) + (f" and {more} more" if more > 0 else "")
