"""Providers: the dimension over articles and related items."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb
    from publicsuffixlist import PublicSuffixList


def derive(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """`providers` over all articles and related items."""
    found = connection.sql(
        """
        with mentions as (
            select provider_id, provider_name, provider_domain, published_at, true as is_article from articles
            union all
            select provider_id, provider_name, provider_domain, published_at, false from related),
        logos as (select lower(coalesce(domain, key)) as domain, arg_min(logo_url, (source, path)) as logo_url
                  from sidecars where kind = 'organization' and logo_url is not null group by all)
        select provider_id, any_value(provider_name) as name, any_value(provider_domain) as domain,
               min(published_at) as first_seen_at, max(published_at) as last_seen_at,
               count(*) filter (is_article) as articles_count, count(*) filter (not is_article) as related_items_count,
               any_value(logo_url) as logo_url
        from mentions left join logos on logos.domain = lower(provider_domain)
        where provider_id is not null group by provider_id order by provider_id
        """
    ).to_arrow_table()
    domains = found["domain"].to_pylist()
    return found.append_column("registered_domain", pa.array(registered_domains(domains), pa.string()))


def registered_domains(domains: list[str | None]) -> list[str | None]:
    """The registrable domain of each host name by the ICANN part of the Public Suffix List (https://publicsuffix.org)."""
    if not domains:
        return []
    suffixes = _suffixes(any(domain and "xn--" in domain for domain in domains))
    return [suffixes.privatesuffix(domain.lower().strip(".")) if domain else None for domain in domains]


@cache
def _suffixes(encoded: bool) -> PublicSuffixList:
    """The list that comes with the library, without network; `encoded` adds the xn-- forms, which takes twice as long."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=True, accept_encoded_idn=encoded)
