"""Providers: the dimension over articles and related items."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.transform.queries import query

if TYPE_CHECKING:
    import duckdb
    from publicsuffixlist import PublicSuffixList


def derive(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `providers` over all articles and related items."""
    providers = connection.sql(query("providers")).to_arrow_table()
    domains = providers["domain"].to_pylist()
    return providers.append_column(
        "registered_domain", pa.array(registered_domains(domains), pa.string())
    )


def registered_domains(domains: list[str | None]) -> list[str | None]:
    """Return registrable domains by the ICANN part of the Public Suffix List.

    See https://publicsuffix.org.
    """
    hosts = [domain.lower().strip(".") if domain else None for domain in domains]
    suffixes = _suffixes([host for host in hosts if host])
    return [suffixes.privatesuffix(host) if host else None for host in hosts]


def _suffixes(hosts: list[str]) -> PublicSuffixList:
    """Return the part of the list that these hosts need: parsing all of it takes 60 ms.

    The list comes with the library, without network. Rules for encoded labels (xn--) are made from
    the others.
    """
    from publicsuffixlist import PublicSuffixList

    encoded = any("xn--" in host for host in hosts)
    ends = {host.rpartition(".")[2] for host in hosts}
    if any(end.startswith("xn--") for end in ends):
        return PublicSuffixList(only_icann=True)
    rules = (files("publicsuffixlist") / "public_suffix_list.dat").read_text(encoding="utf-8")
    needed = [
        line
        for line in rules.splitlines()
        if line.startswith("// ===") or line.partition(" ")[0].rpartition(".")[2] in ends
    ]
    return PublicSuffixList(needed, only_icann=True, accept_encoded_idn=encoded)
