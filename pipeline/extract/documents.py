"""Read the files of a source: each becomes a Document, or a Rejection that says why not."""

import os
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import pairwise

import yaml_rs

from pipeline.extract.frontmatter import read_safely
from pipeline.extract.source import (
    Entry,
    Loaded,
    part_bounds,
    part_name,
    rest_of,
    sidecar_kind,
)
from pipeline.extract.sources import Source, parse
from pipeline.schema.documents import Document, Extracted, Finding, Rejection, SourceFile

_KINDS = {None: None, "topics": "topic", "organizations": "organization"}


def extract(
    address: str | os.PathLike[str], *, strict: bool, max_file_bytes: int, part_size: int
) -> Iterator[Extracted]:
    """List a source (`[name=]path`) now, and read its files one by one as they are asked for.

    First come the files that cannot be listed, then documents and then topic sidecars, each in
    path order. Raises UsageError and SourceError.
    """
    source = parse(os.fspath(address))
    listing = source.list()

    def read() -> Iterator[Extracted]:
        for path, rejection in listing.rejected.items():
            yield Extracted(listed_file(source, path, rest_of(source.name)), rejection)
        for number, (a, b) in enumerate(pairwise(part_bounds(len(listing.entries), part_size))):
            part, entries = part_name(source.name, number), listing.entries[a:b]
            rows = read_documents(source, entries, part, strict=strict, limit=max_file_bytes)
            yield from (extracted for _, _, extracted in rows)
        yield from read_sidecars(source, listing.sidecars, max_file_bytes)

    return read()


def read_documents(
    source: Source, entries: Iterable[Entry], part: str, *, strict: bool, limit: int
) -> Iterator[tuple[Entry, Loaded | Rejection, Extracted]]:
    """Read the files of one part; with each comes what was listed and what was loaded."""
    for entry, loaded in source.read(entries, limit):
        if isinstance(loaded, Rejection):
            yield entry, loaded, Extracted(listed_file(source, entry.path, part), loaded)
            continue
        raw = loaded.raw
        file = SourceFile(
            source.name,
            entry.path,
            source.document_id(entry.path),
            part,
            _KINDS.get(sidecar_kind(entry.path)),
            len(raw),
            _microseconds(loaded.mtime_ns),
            blake2b(raw, digest_size=8).hexdigest(),
        )
        yield entry, loaded, Extracted(file, read_safely(raw, strict=strict))


def read_sidecars(source: Source, entries: Iterable[Entry], limit: int) -> Iterator[Extracted]:
    """Read the YAML files that describe topics; one that cannot be read is a finding."""
    for entry, loaded in source.read(entries, limit):
        file = listed_file(source, entry.path, rest_of(source.name), sidecar="topic")
        yield Extracted(file, _read_sidecar(loaded))


def _read_sidecar(loaded: Loaded | Rejection) -> Document:
    position: tuple[int, ...] = (1, 1)
    if isinstance(loaded, Rejection):
        reason, position = loaded.message, ()
    else:
        try:
            data = yaml_rs.loads(loaded.raw.decode("utf-8-sig"), parse_datetime=False)
            if isinstance(data, dict):
                return Document(format="yaml", metadata=data)
            reason = "no keys with values"
        except (ValueError, TypeError) as error:
            reason = str(error).rsplit("\n", 1)[-1].strip()
    finding = Finding("unreadable_sidecar", "", reason, "left out", *position)
    return Document(format=None, findings=[finding])


def listed_file(source: Source, path: str, part: str, sidecar: str | None = None) -> SourceFile:
    """Return a file that was listed, without what reading it tells."""
    return SourceFile(source.name, path, source.document_id(path), part, sidecar)


def _microseconds(ns: int) -> int | None:
    """Return nanoseconds since 1970 as microseconds; None outside the years 1 to 9999."""
    return ns // 1000 if -62_135_596_800 * 10**9 <= ns < 253_402_300_800 * 10**9 else None
