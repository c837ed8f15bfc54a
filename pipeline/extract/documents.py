"""Read the files of a source: each becomes a Document, or a Rejection that says why not."""

import os
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import pairwise

import yaml_rs

from pipeline.extract.frontmatter import read_safely
from pipeline.extract.source import (
    Entry,
    Listing,
    Loaded,
    part_bounds,
    part_name,
    rest_of,
    sidecar_kind,
)
from pipeline.extract.sources import Source, parse
from pipeline.schema.documents import Document, Extracted, Finding, Rejection, SourceFile

PART_SIZE, MAX_FILE_BYTES = 5_000, 10_000_000
_KINDS = {"topics": "topic", "organizations": "organization"}


def extract(
    source: str | os.PathLike[str],
    *,
    strict: bool = False,
    max_file_bytes: int = MAX_FILE_BYTES,
    part_size: int = PART_SIZE,
) -> Iterator[Extracted]:
    """List a source (`[name=]path`) now, and read its files one by one as they are asked for.

    First come the files that cannot be listed, then documents and then topic sidecars, each in
    path order. Raises UsageError and SourceError.
    """
    parsed = parse(os.fspath(source))
    return _read_all(parsed, parsed.list(), strict, max_file_bytes, part_size)


def _read_all(
    source: Source, listing: Listing, strict: bool, limit: int, part_size: int
) -> Iterator[Extracted]:
    rest = rest_of(source.name)
    for path, rejection in listing.rejected.items():
        yield Extracted(listed_file(source, path, rest), rejection)
    for number, (start, end) in enumerate(pairwise(part_bounds(len(listing.entries), part_size))):
        part, entries = part_name(source.name, number), listing.entries[start:end]
        for _, _, extracted in read_documents(source, entries, part, strict=strict, limit=limit):
            yield extracted
    yield from read_sidecars(source, listing.sidecars, limit)


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
            _KINDS.get(sidecar_kind(entry.path) or "") if "_data/" in entry.path else None,
            len(raw),
            _microseconds(loaded.mtime_ns),
            blake2b(raw, digest_size=8).hexdigest(),
        )
        yield entry, loaded, Extracted(file, read_safely(raw, strict=strict))


def read_sidecars(source: Source, entries: Iterable[Entry], limit: int) -> Iterator[Extracted]:
    """Read the YAML files that describe topics; one that cannot be read is a finding."""
    for entry, loaded in source.read(entries, limit):
        file = listed_file(source, entry.path, rest_of(source.name), sidecar="topic")
        data = _read_sidecar(loaded)
        if isinstance(data, Finding):
            yield Extracted(file, Document(format=None, findings=[data]))
        else:
            yield Extracted(file, Document(format="yaml", metadata=data))


def _read_sidecar(loaded: Loaded | Rejection) -> dict[str, object] | Finding:
    if isinstance(loaded, Rejection):
        return Finding("unreadable_sidecar", "", loaded.message, "left out")
    try:
        data = yaml_rs.loads(loaded.raw.decode("utf-8-sig"), parse_datetime=False)
    except (ValueError, TypeError) as error:
        reason = str(error).rsplit("\n", 1)[-1].strip()
        return Finding("unreadable_sidecar", "", reason, "left out", 1, 1)
    if not isinstance(data, dict):
        return Finding("unreadable_sidecar", "", "no keys with values", "left out", 1, 1)
    return data


def listed_file(source: Source, path: str, part: str, sidecar: str | None = None) -> SourceFile:
    """Return a file that was listed, without what reading it tells."""
    return SourceFile(source.name, path, source.document_id(path), part, sidecar)


def _microseconds(ns: int) -> int | None:
    """Return nanoseconds since 1970 as microseconds; None outside the years 1 to 9999."""
    return ns // 1000 if -62_135_596_800 * 10**9 <= ns < 253_402_300_800 * 10**9 else None
