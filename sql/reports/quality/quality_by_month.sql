-- One row per month with articles: the quality of its articles, over those that are scored.
select
    month, articles, scored, published,
    published / articles::double as published_rate,
    mean_quality, sd_quality, mean_low, mean_high, median_quality, p10_quality, p90_quality,
    overall_mean, shrinkage_k, shrunken_mean, rank, first_day, last_day
from quality_groups
where dimension = 'month'
order by month nulls last
