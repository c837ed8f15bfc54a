-- One row per provider: the quality of its articles, over those that are scored.
--   provider: Name of the outlet, or its domain where it has no name
--   domain: Host name of the outlet
--   articles: All articles of the provider
--   scored: Denominator of the quality figures: articles with a quality score
--   published: Articles that the site shows
--   published_rate: published / articles
--   mean_quality: Arithmetic mean over the scored
--   median_quality: Median over the scored
--   p10_quality: 10th percentile over the scored, interpolated
--   p90_quality: 90th percentile over the scored, interpolated
--   first_day: Earliest day of publication (UTC)
--   last_day: Latest day of publication (UTC)
select
    coalesce(providers.name, providers.domain) as provider,
    providers.domain,
    count(*) as articles,
    count(quality) as scored,
    count(*) filter (is_published) as published,
    count(*) filter (is_published) / count(*)::double as published_rate,
    avg(quality) as mean_quality,
    median(quality) as median_quality,
    quantile_cont(quality, 0.1) as p10_quality,
    quantile_cont(quality, 0.9) as p90_quality,
    min(day) as first_day,
    max(day) as last_day
from article_facts
join providers using (provider_id)
group by provider_id, providers.name, providers.domain
order by articles desc, provider, domain
