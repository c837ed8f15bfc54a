-- One row per week and topic, of the six topics with most time of articles; a topic with one week makes no line.
select topic, week, heat_index, mean_heat, mean_excess, article_hours
from topic_heat_index
where topic in (
    select topic from topic_heat_index group by topic order by sum(article_hours) desc, topic limit 6)
qualify count(*) over (partition by topic) > 1
order by all
