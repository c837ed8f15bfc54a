-- One row per article: what the reports count, with the state of its scores spelled out.
--   day: Day of publication (UTC); null where the time is unknown
--   month: First day of the month of publication (UTC); null where the time is unknown
--   heat: Heat score; null = unscored or suppressed
select
    article_id, source, collection, type, title, url, published_at,
    (published_at at time zone 'UTC')::date as day,
    date_trunc('month', published_at at time zone 'UTC')::date as month,
    provider_id,
    coalesce(provider_name, provider_domain) as provider,
    quality,
    case when heat >= 0 then heat end as heat,
    case when heat = -1 then 'suppressed' when heat is null or heat < -1 then 'unscored' else 'scored' end as heat_state,
    case when heat >= 0 then try_cast(heat::hugeint - quality as bigint) end as heat_excess,
    coalesce(published, false) as is_published
from articles
