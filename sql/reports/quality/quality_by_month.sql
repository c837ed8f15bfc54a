-- One row per month with articles: the quality of its articles, over those that are scored.
--   month: First day of the month of publication (UTC); null = time unknown
--   articles: All articles of the month
--   scored: Denominator of the quality figures: articles with a quality score
--   published: Articles that the site shows
--   published_rate: published / articles
--   mean_quality: Arithmetic mean over the scored
--   sd_quality: Standard deviation over the scored, divisor scored - 1; null below 2
--   mean_low: Lower end of the 95 % interval of the mean: mean -+ t * sd / sqrt(scored), Student's t; null below 2 scored
--   mean_high: Upper end of that interval
--   median_quality: Median over the scored
--   p10_quality: 10th percentile over the scored, interpolated
--   p90_quality: 90th percentile over the scored, interpolated
--   overall_mean: Mean over all scored articles
--   shrinkage_k: Scored at which a month's own mean and the overall mean count the same; null = only the overall mean counts
--   shrunken_mean: (scored * mean + k * overall_mean) / (scored + k), empirical Bayes (Efron & Morris 1975), see quality_groups
--   rank: Place by shrunken mean, equals share it; null below 10 scored
--   first_day: Earliest day of publication (UTC)
--   last_day: Latest day of publication (UTC)
select
    month,
    articles,
    scored,
    published,
    published / articles::double as published_rate,
    mean_quality,
    sd_quality,
    mean_low,
    mean_high,
    median_quality,
    p10_quality,
    p90_quality,
    overall_mean,
    shrinkage_k,
    shrunken_mean,
    rank,
    first_day,
    last_day
from quality_groups
where dimension = 'month'
order by month nulls last
