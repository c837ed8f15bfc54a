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
--   sd_quality: Standard deviation over the scored, divisor scored - 1; null below 2
--   mean_low: Lower end of the 95 % interval of the mean: mean -+ t * sd / sqrt(scored), Student's t; null below 2 scored
--   mean_high: Upper end of that interval
--   overall_mean: Mean over the scored of all providers
--   shrinkage_k: Scored at which a provider's own mean and the overall mean count the same; null = only the overall mean counts
--   shrunken_mean: (scored * mean + k * overall_mean) / (scored + k), empirical Bayes (Efron & Morris 1975), see quality_groups
--   rank: Place by shrunken mean, equals share it; null below 10 scored
--   of_articles: All articles, also those without a provider, which are in no row
select
    coalesce(providers.name, providers.domain) as provider,
    providers.domain,
    articles,
    scored,
    published,
    published / articles::double as published_rate,
    mean_quality,
    median_quality,
    p10_quality,
    p90_quality,
    first_day,
    last_day,
    sd_quality,
    mean_low,
    mean_high,
    overall_mean,
    shrinkage_k,
    shrunken_mean,
    rank,
    (select count(*) from article_facts) as of_articles
from quality_groups
join providers using (provider_id)
where dimension = 'provider'
order by articles desc, provider, domain
