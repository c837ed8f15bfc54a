-- One row per topic: the quality of its articles, over those that are scored.
--   of_articles: All articles, also those without a topic, which are in no row
select
    topic, articles, scored, published,
    published / articles::double as published_rate,
    mean_quality, sd_quality, mean_low, mean_high, median_quality, p10_quality, p90_quality,
    overall_mean, shrinkage_k, shrunken_mean, rank,
    (select count(*) from article_facts) as of_articles,
    first_day,
    last_day
from quality_groups
where dimension = 'topic'
order by articles desc, topic
