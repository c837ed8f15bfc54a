"""What a run says at its end: for people, and for machines."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.extract.sources import shown
from pipeline.load.retention import Swept
from pipeline.runs.record import RunResult
from pipeline.text import printable

LISTED = 6


def as_object(result: RunResult) -> dict[str, Any]:
    """The result as one JSON object."""
    record = msgspec.to_builtins(result.record)
    stages = {
        name.removeprefix("seconds_"): record[name]
        for name in record
        if name.startswith("seconds_")
    }
    counts = {name: record[name] for name in ("files", "articles", "other", "skipped", "rejected")}
    ledger = msgspec.to_builtins(result.ledger)
    rest = {
        name: value
        for name, value in record.items()
        if name not in {*counts, *ledger} and not name.startswith("seconds_")
    }
    return {
        **rest,
        "published": result.published,
        "warehouse": result.warehouse,
        "sources": [{"name": source.name, "path": source.path} for source in result.sources],
        "documents": counts,
        "files": ledger,
        "tables": result.tables,
        "findings_by_rule": result.findings,
        "rejections_by_code": result.rejections,
        "unknown_fields": result.unknown_fields,
        "checks": [
            {"name": check.name, "level": check.level, "rows": check.rows}
            for check in result.checks
        ],
        "seconds": stages,
    }


def as_text(result: RunResult, command: str, options: str) -> str:
    """The summary that a person reads: counts that sum, what was repaired or rejected, where it is, what to try next."""
    record = result.record
    sources = ", ".join(printable(shown(source.path)) for source in result.sources)
    lines = [
        f"Read {_number(record.files, 'file')} from {sources} in {record.seconds_total:.1f} s.",
        "",
    ]
    notes = {
        "articles": "documents with a title",
        "other": "front matter without a title: people, organisations, communities",
        "skipped": "no front matter",
        "rejected": f"could not be read: {_listed(result.rejections)}"
        if record.rejected
        else "could not be read",
    }
    lines += [f"  {getattr(record, name):>9,}  {name:<9} {note}" for name, note in notes.items()]
    lines += [f"  {'-' * 9}", f"  {record.files:>9,}  files", ""]
    if record.message:
        lines.append(f"Note: {printable(record.message)}.")
    if record.rebuilt:
        lines.append(f"Every part was built again: {record.rebuilt}.")
    if changes := {
        name.replace("_", " "): number for name, number in _changes(result).items() if number
    }:
        lines.append(f"Since the last snapshot: {_listed(changes)}.")
    if result.findings:
        lines.append(
            f"Repaired or set to null: {sum(result.findings.values()):,} values ({_listed(result.findings)})."
        )
    if result.unknown_fields:
        lines.append(f"Fields not known, kept in articles.extra: {_listed(result.unknown_fields)}.")
    if result.tables.get("observations"):
        seen, revisions = (
            _number(result.tables[name], name[:-1]) for name in ("observations", "revisions")
        )
        lines.append(f"History: {seen} of articles in {revisions}.")
    warned = [check for check in result.checks if check.rows]
    passed = len(result.checks) - len(warned)
    lines.append(
        f"Checks: {passed} passed"
        + (", warned: " + ", ".join(f"{c.name} ({c.rows:,})" for c in warned) if warned else "")
        + "."
    )
    rows = sum(result.tables.values())
    where = printable(shown(result.warehouse))
    lines.append(
        {
            "published": f"Published {len(result.tables)} tables with {rows:,} rows in {where} as snapshot {record.snapshot}.",
            "unchanged": f"Nothing changed: snapshot {record.snapshot} in {where} stays.",
            "dry_run": f"Dry run: nothing published; {where} still shows {record.snapshot or 'nothing'}.",
        }.get(record.outcome, record.outcome)
    )
    lines += ["", "Next:", *(f"  {command} {rest}{options}" for rest in _next(record.rejected > 0))]
    return "\n".join(lines) + "\n"


def _changes(result: RunResult) -> dict[str, int]:
    """The ledger without what the table above says; nothing for a first run."""
    ledger: dict[str, int] = msgspec.to_builtins(result.ledger)
    told = {name: number for name, number in ledger.items() if name not in ("rejected", "skipped")}
    return (
        {} if set(told) - {"new"} == {name for name in told if not told[name]} - {"new"} else told
    )


def _next(rejected: bool) -> list[str]:
    return [
        "rejects" if rejected else "findings",
        "report quality",
        "report all --format html -o report.html",
    ]


def swept_text(swept: Swept, *, dry_run: bool) -> str:
    """What a sweep removed, in one line."""
    verb = "Would remove" if dry_run else "Removed"
    return (
        f"{verb} {_number(len(swept.removed), 'snapshot')} and {_number(swept.files, 'file')} ({swept.bytes:,} bytes);"
        f" {_number(len(swept.kept), 'snapshot')} stay{'s' if len(swept.kept) == 1 else ''}."
    )


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _listed(counts: Mapping[str, int]) -> str:
    shown = [f"{printable(name)} {count:,}" for name, count in list(counts.items())[:LISTED]]
    more = len(counts) - LISTED
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
