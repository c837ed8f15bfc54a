"""Providers: the dimension over articles and related items."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb
    from publicsuffixlist import PublicSuffixList


def derive(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `providers` over all articles and related items."""
    providers = connection.sql(
        """
        with mentions as (
            select provider_id, provider_name, provider_domain, published_at, true as is_article
            from articles
            union all
            select provider_id, provider_name, provider_domain, published_at, false from related),
        logos as (
            select lower(coalesce(domain, key)) as domain,
                   arg_min(logo_url, (source, path)) as logo_url
            from sidecars where kind = 'organization' and logo_url is not null group by all)
        select provider_id, any_value(provider_name) as name, any_value(provider_domain) as domain,
               min(published_at) as first_seen_at, max(published_at) as last_seen_at,
               count(*) filter (is_article) as articles_count,
               count(*) filter (not is_article) as related_items_count,
               any_value(logo_url) as logo_url
        from mentions left join logos on logos.domain = lower(provider_domain)
        where provider_id is not null group by provider_id order by provider_id
        """
    ).to_arrow_table()
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
