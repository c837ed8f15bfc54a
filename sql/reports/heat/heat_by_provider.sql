-- One row per provider: how hot its articles are, over those with a heat score that is not suppressed.
--   provider: Name of the outlet, or its domain where it has no name
--   domain: Host name of the outlet
--   articles: All articles of the provider
--   of_articles: All articles, also those without a provider, which are in no row
--   scored: Denominator of the heat figures: articles with heat 0 or more
--   suppressed: Articles with heat -1; never part of a mean
--   unscored: Articles without heat
--   suppressed_share: suppressed / (scored + suppressed)
--   mean_heat: Arithmetic mean over the scored
--   median_heat: Median over the scored
--   max_heat: Highest heat
--   with_both: Denominator of the figures on quality: articles with heat 0 or more and a quality score
--   equal_to_quality: Those whose heat is their quality
--   mean_excess: Mean of heat - quality over with_both
--   first_day: Earliest day of publication (UTC)
--   last_day: Latest day of publication (UTC)
select
    coalesce(providers.name, providers.domain) as provider,
    providers.domain,
    articles,
    (select count(*) from article_facts) as of_articles,
    scored,
    suppressed,
    unscored,
    suppressed_share,
    mean_heat,
    median_heat,
    max_heat,
    with_both,
    equal_to_quality,
    mean_excess,
    first_day,
    last_day
from heat_groups
join providers using (provider_id)
where dimension = 'provider'
order by mean_heat desc nulls last, articles desc, provider, domain
