-- One row per topic: how hot its articles are, over those with a heat score that is not suppressed.
select
    topic, articles, scored, suppressed, unscored, suppressed_share, mean_heat, median_heat,
    max_heat, mean_excess, first_day, last_day, with_both
from heat_groups
where dimension = 'topic'
order by mean_heat desc nulls last, topic
