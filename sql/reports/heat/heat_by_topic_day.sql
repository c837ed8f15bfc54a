-- One row per topic and day with articles: how hot what came out on the day is, over those scored and not suppressed.
select
    day, topic, articles, scored, suppressed, unscored, suppressed_share, mean_heat, max_heat,
    with_both, mean_excess
from heat_groups
where dimension = 'topic_day'
order by day nulls last, topic
