-- One row per provider: how hot its articles are, over those with a heat score that is not suppressed.
--   of_articles: All articles, also those without a provider, which are in no row
select
    coalesce(providers.name, providers.domain) as provider,
    providers.domain,
    articles,
    (select count(*) from article_facts) as of_articles,
    scored, suppressed, unscored, suppressed_share, mean_heat, median_heat, max_heat, with_both,
    equal_to_quality, mean_excess, first_day, last_day
from heat_groups
join providers using (provider_id)
where dimension = 'provider'
order by mean_heat desc nulls last, articles desc, provider, domain
