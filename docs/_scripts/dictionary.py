"""Print the data dictionary: every table and view with its columns and lineage."""

from collections.abc import Sequence

import diagrams

from pipeline.text import render
from pipeline.views.dictionary.entries import Entry, entries
from pipeline.views.dictionary.text import markdown, without_empty

ENTRIES = entries()


def diagram(subject: str = "") -> None:
    """Print the lineage of all relations, the facts, or a subject's reports as Mermaid."""
    if subject == "facts":
        text = diagrams.of_facts(ENTRIES)
    else:
        text = diagrams.of_subject(ENTRIES, subject) if subject else diagrams.overview(ENTRIES)
    print("```mermaid", text.rstrip(), "```", sep="\n")


def names(kind: str, subject: str = "") -> None:
    """Print a table of the relations of a kind: name, what a row is, key."""
    rows = [
        (
            f"[`{entry.name}`](#{entry.name})",
            _escape(entry.grain) + (" (derived)" if entry.derived else ""),
            ", ".join(f"`{column}`" for column in entry.key),
        )
        for entry in _of(kind, subject)
    ]
    print(render(*without_empty(["name", "one row per", "key"], rows), "md"), end="")


def describe(kind: str, subject: str = "") -> None:
    """Print the relations of a kind with their columns, a section each."""
    for entry in _of(kind, subject):
        print("", markdown(entry, level=2, with_source=False).rstrip(), sep="\n")


def _of(kind: str, subject: str) -> Sequence[Entry]:
    return [entry for entry in ENTRIES.values() if (entry.kind, entry.subject) == (kind, subject)]


def _escape(text: str) -> str:
    return text.replace("_", "\\_").replace("<", "&lt;")
