-- One row per provider: the quality of its articles, over those that are scored.
--   of_articles: All articles, also those without a provider, which are in no row
select
    coalesce(providers.name, providers.domain) as provider,
    providers.domain, articles, scored, published,
    published / articles::double as published_rate,
    mean_quality, median_quality, p10_quality, p90_quality, first_day, last_day, sd_quality,
    mean_low, mean_high, overall_mean, shrinkage_k, shrunken_mean, rank,
    (select count(*) from article_facts) as of_articles
from quality_groups
join providers using (provider_id)
where dimension = 'provider'
order by articles desc, provider, domain
