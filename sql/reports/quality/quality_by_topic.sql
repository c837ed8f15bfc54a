-- One row per topic: the quality of its articles, over those that are scored.
--   topic: Topic as given
--   articles: All articles of the topic; an article with two topics counts for both
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
--   overall_mean: Mean over the scored of all topics, an article with two topics counted twice
--   shrinkage_k: Scored at which a topic's own mean and the overall mean count the same; null = only the overall mean counts
--   shrunken_mean: (scored * mean + k * overall_mean) / (scored + k), empirical Bayes (Efron & Morris 1975), see quality_groups
--   rank: Place by shrunken mean, equals share it; null below 10 scored
--   of_articles: All articles, also those without a topic, which are in no row
--   first_day: Earliest day of publication (UTC)
--   last_day: Latest day of publication (UTC)
select
    topic,
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
    (select count(*) from article_facts) as of_articles,
    first_day,
    last_day
from quality_groups
where dimension = 'topic'
order by articles desc, topic
