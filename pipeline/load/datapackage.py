"""Describe a snapshot's Parquet files as a Data Package (https://datapackage.org, version 2.0).

By the standard, the files of one resource are concatenated byte by byte, which Parquet files cannot
be, and `frictionless` reads the first one alone; so each part file is a resource of its own. A
table of one file gives the resource of its name, one of several files `articles-1`, `articles-2`
and so on; the property `table` names the table. There are no `bytes` and no `hash`, since
`frictionless` does not count those of Parquet and reports them as wrong. `secured` is left out: it
is never exported unless named.
"""

import datetime as dt
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from pipeline.load.manifest import Manifest, PartFile
from pipeline.schema.tables import TABLES

LEFT_OUT = "secured"
ANY = ""
"""Stands for whatever part refers to a table of one file."""

_TYPES = {
    "string": ("string", []),
    "int64": ("integer", ["nan"]),
    "double": ("number", ["nan"]),
    "bool": ("boolean", []),
    "timestamp[us, tz=UTC]": ("datetime", ["NaT"]),
    "list<item: string>": ("any", []),
    "list<element: string>": ("any", []),
}
"""Type, and how pandas, by which `frictionless` reads Parquet, shows a null in such a column.

A list is "any": `frictionless` knows it as a list in JSON and CSV alone. Text has no word for null:
an empty text is not one.
"""


def descriptor(manifest: Manifest) -> bytes:
    """Return the descriptor as JSON, one resource per line.

    Paths are relative to the snapshot's folder. The same manifest gives the same bytes.
    """
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "frontmatter-warehouse",
        "title": "Front-matter news articles as tidy tables",
        "version": manifest.id,
        "created": manifest.created_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "sources": [{"title": source.name} for source in manifest.sources],
    }
    head = msgspec.json.format(msgspec.json.encode(package), indent=1).removesuffix(b"\n}")
    resources = b",\n".join(map(msgspec.json.encode, _resources(manifest)))
    return head + b',\n "resources": [\n' + resources + b"\n]}"


def _resources(manifest: Manifest) -> Iterator[dict[str, Any]]:
    shared = TABLES.keys() - {LEFT_OUT}
    tables = {name: files for name, files in manifest.tables.items() if name in shared}
    targets = {name: _targets(name, files) for name, files in tables.items()}
    for name, files in tables.items():
        table = TABLES[name]
        for number, file in enumerate(files, 1):
            keys = []
            for to in table.references:
                resources = targets.get(to.table, {})
                if resource := resources.get(file.part) or resources.get(ANY):
                    target = {"resource": resource, "fields": TABLES[to.table].key}
                    keys.append({"fields": to.columns, "reference": target})
            yield {
                "name": _name(name, files, number),
                "table": name,
                "type": "table",
                "path": f"{name}/{file.file}",
                "description": f"One row per {table.grain}.",
                "format": "parquet",
                "mediatype": "application/vnd.apache.parquet",
                "schema": {
                    "fields": _fields(name, number == 1),
                    "missingValues": [],
                    "primaryKey": table.key,
                    **({"foreignKeys": keys} if keys else {}),
                },
            }


def _name(table: str, files: list[PartFile], number: int) -> str:
    return table if len(files) == 1 else f"{table}-{number}"


def _targets(table: str, files: list[PartFile]) -> dict[str | None, str]:
    """Return the resource that a reference to a table means, by the part of the referring file.

    It is the file of the same part, or the only file. The standard has no reference from one file
    to several (`related_matches` to the `articles` of many parts).
    """
    names = {file.part: _name(table, files, number) for number, file in enumerate(files, 1)}
    return {ANY: table} if len(files) == 1 else {part: names[part] for part in names if part}


@cache
def _fields(table: str, is_first: bool) -> msgspec.Raw:
    """Return the columns as JSON; only a table's first resource has descriptions."""
    fields = []
    for column in TABLES[table].columns:
        kind, nulls = _TYPES[str(column.type)]
        is_key = TABLES[table].key == (column.name,)
        held = {"required": not column.nullable, "unique": is_key}
        field = {
            "name": column.name,
            "type": kind,
            "description": column.comment if is_first else None,
            "missingValues": nulls if column.nullable else None,
            "constraints": {name: True for name, holds in held.items() if holds},
        }
        fields.append({name: value for name, value in field.items() if value})
    return msgspec.Raw(msgspec.json.encode(fields))
