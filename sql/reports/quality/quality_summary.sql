-- One row per warehouse: how good the articles are, over those that are scored.
--   articles: All articles
--   scored: Denominator of the quality figures: articles with a quality score
--   unscored: Articles without one; never counted as 0
--   mean_quality: Arithmetic mean over the scored
--   sd_quality: Standard deviation over the scored, divisor scored - 1; null below 2
--   median_quality: Median over the scored
--   p10_quality: 10th percentile over the scored, interpolated
--   p90_quality: 90th percentile over the scored, interpolated
--   min_quality: Lowest score
--   max_quality: Highest score; there is no upper bound
--   first_day: Earliest day of publication (UTC)
--   last_day: Latest day of publication (UTC)
select
    count(*) as articles,
    count(quality) as scored,
    count(*) - count(quality) as unscored,
    avg(quality) as mean_quality,
    stddev_samp(quality order by quality) as sd_quality,
    median(quality) as median_quality,
    quantile_cont(quality, 0.1) as p10_quality,
    quantile_cont(quality, 0.9) as p90_quality,
    min(quality) as min_quality,
    max(quality) as max_quality,
    min(day) as first_day,
    max(day) as last_day
from article_facts
