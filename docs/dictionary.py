"""Print the data dictionary as `docs/data-dictionary.md` holds it; `make docs` checks that it is still so."""

from pipeline.text import render
from pipeline.views.dictionary import diagrams
from pipeline.views.dictionary.entries import entries
from pipeline.views.dictionary.text import OVERVIEW, markdown, overview

FOUND = entries()


def tables() -> None:
    """Print the list of tables."""
    print(
        render(OVERVIEW, overview([one for one in FOUND.values() if one.kind == "table"]), "md"),
        end="",
    )


def diagram(text: str) -> None:
    """Print a Mermaid diagram as a block."""
    print("```mermaid", text.rstrip(), "```", sep="\n")


def lineage() -> None:
    """Print the overview, then a diagram of the facts."""
    diagram(diagrams.overview(FOUND))


def described(kind: str, subject: str = "") -> None:
    """Print the tables, facts, or reports of a subject, with their columns; before facts and reports, what they read."""
    if kind == "fact":
        diagram(diagrams.of_facts(FOUND))
    elif subject:
        diagram(diagrams.of_subject(FOUND, subject))
    for one in FOUND.values():
        if (one.kind, one.subject) == (kind, subject):
            print("", markdown(one, level=3, with_source=False).rstrip(), sep="\n")
