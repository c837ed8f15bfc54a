-- One row per warehouse: how good the articles are, over those that are scored.
--   articles: All articles
--   scored: Denominator of the quality figures: articles with a quality score
--   unscored: Articles without one; never counted as 0
--   min_quality: Lowest score
--   max_quality: Highest score; without an upper bound
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
