"""Reports as Markdown."""

from collections.abc import Iterable

from pipeline.report.figures import Basis, Figure, displayed
from pipeline.report.sections import Report
from pipeline.report.words import display_text, label
from pipeline.text import render


def as_markdown(report: Report, basis: Basis, figures: Iterable[Figure]) -> str:
    """Return a report as Markdown, each section with its first rows."""
    filters = f" Only articles {basis.filters}." if basis.filters else ""
    parts = [f"# {report.title}", report.lead, basis.words() + filters]
    for figure in figures:
        section, notes = figure.section, [figure.note] if figure.note else []
        parts += [f"## {section.title}", section.question, *notes, _rows(figure)]
        if figure.total > section.shown and figure.rows:
            parts.append(f"The first {section.shown} of {figure.total:,} rows of `{section.view}`.")
    return "\n\n".join(parts) + "\n"


def _rows(figure: Figure) -> str:
    if not figure.rows:
        return figure.section.empty
    names, rows = displayed(figure)
    heads = [label(name) for name in names]
    texts = [tuple(map(display_text, names, row)) for row in rows[: figure.section.shown]]
    if figure.is_list_of_facts:
        texts, heads = list(zip(heads, texts[0], strict=True)), ["figure", "value"]
    return render(heads, texts, "md").rstrip("\n")
