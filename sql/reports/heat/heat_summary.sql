-- One row per warehouse: how hot the articles are, over those with a heat score that is not suppressed.
--   articles: All articles
select
    articles, scored, suppressed, unscored, suppressed_share, mean_heat, median_heat, p90_heat,
    min_heat, max_heat, with_both, equal_to_quality,
    equal_to_quality / nullif(with_both, 0)::double as equal_share,
    mean_excess,
    first_day,
    last_day
from heat_groups
where dimension = 'all'
