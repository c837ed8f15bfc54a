"""Reports as Markdown."""

from collections.abc import Iterable

from pipeline.report.figures import Basis, Figure, displayed
from pipeline.report.sections import Report
from pipeline.report.words import display_text, label
from pipeline.text import render


def as_markdown(report: Report, basis: Basis, figures: Iterable[Figure], *, filters: str) -> str:
    """Return a report as Markdown, each section with its first rows."""
    parts = [
        f"# {report.title}",
        report.lead,
        basis.words() + (f" Only articles {filters}." if filters else ""),
    ]
    for figure in figures:
        parts += [
            f"## {figure.section.title}",
            figure.section.question,
            *([figure.note] if figure.note else []),
            _rows(figure),
        ]
        if figure.total > figure.section.shown and figure.rows:
            shown, view = figure.section.shown, figure.section.view
            parts.append(f"The first {shown} of {figure.total:,} rows of `{view}`.")
    return "\n\n".join(parts) + "\n"


def _rows(figure: Figure) -> str:
    if not figure.rows:
        return figure.section.empty
    names, rows = displayed(figure)
    texts = [
        [display_text(name, cell) for name, cell in zip(names, row, strict=True)]
        for row in rows[: figure.section.shown]
    ]
    heads = [label(name) for name in names]
    if len(figure.rows) == 1 and not figure.section.columns:
        heads, texts = (
            ["figure", "value"],
            [list(pair) for pair in zip(heads, texts[0], strict=True)],
        )
    return render(heads, texts, "md").rstrip("\n")
