-- One row per pair of provider name and domain, over articles and related items.
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
