"""The lineage as Mermaid flow charts (https://mermaid.js.org)."""

from collections.abc import Mapping, Sequence

from pipeline.views.dictionary.entries import Entry
from pipeline.views.relations import SUBJECTS


def overview(known: Mapping[str, Entry]) -> str:
    """Draw source, tables, facts and reports, a box each; single nodes need too long a row."""
    tables = {
        derived: [one.name for one in _kind(known, "table") if one.derived == derived]
        for derived in (False, True)
    }
    boxes = {
        "tables": ["<b>tables, a part of the documents each</b>", *tables[False]],
        "derived": ["<b>tables derived over all parts</b>", *tables[True]],
        "facts": ["<b>facts: sql/views</b>", *(one.name for one in _kind(known, "fact"))],
    }
    boxes |= {
        f"{name}_reports": [f"<b>{name} report</b>", f"{len(_of(known, name))} views"]
        for name in SUBJECTS
    }
    lines = ["flowchart LR", '    files[/"front-matter files"/] --> tables']
    lines += [f'    {name}["{"<br/>".join(words)}"]' for name, words in boxes.items()]
    lines += ["    tables --> derived", "    tables --> facts", "    derived --> facts"]
    return "\n".join([*lines, *(f"    facts --> {name}_reports" for name in SUBJECTS)]) + "\n"


def of_subject(known: Mapping[str, Entry], subject: str) -> str:
    """Draw reports, facts and tables of a subject; reports that read the same are one node."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for report in _of(known, subject):
        groups.setdefault(report.reads, []).append(report.name)
    facts = sorted({name for reads in groups for name in reads if known[name].kind == "fact"})
    tables = sorted(
        {name for reads in [*groups, *(known[fact].reads for fact in facts)] for name in reads}
        - set(facts)
    )
    lines = ["flowchart LR", *_nodes(tables, "[({})]"), *_nodes(facts)]
    for at, (_, names) in enumerate(groups.items(), 1):
        lines.append(f'    reports{at}["{"<br/>".join(names)}"]')
    lines += [f"    {read} --> {fact}" for fact in facts for read in known[fact].reads]
    lines += [f"    {read} --> reports{at}" for at, reads in enumerate(groups, 1) for read in reads]
    return "\n".join(lines) + "\n"


def of_facts(known: Mapping[str, Entry]) -> str:
    """Draw facts and the tables that they read."""
    facts = _kind(known, "fact")
    tables = sorted({read for fact in facts for read in fact.reads})
    lines = ["flowchart LR", *_nodes(tables, "[({})]"), *_nodes([fact.name for fact in facts])]
    lines += [f"    {read} --> {fact.name}" for fact in facts for read in fact.reads]
    return "\n".join(lines) + "\n"


def _nodes(names: Sequence[str], shape: str = "[{}]") -> list[str]:
    return [f"    {name}{shape.format(name)}" for name in names]


def _kind(known: Mapping[str, Entry], kind: str) -> list[Entry]:
    return [one for one in known.values() if one.kind == kind]


def _of(known: Mapping[str, Entry], subject: str) -> list[Entry]:
    return [one for one in known.values() if one.subject == subject]
