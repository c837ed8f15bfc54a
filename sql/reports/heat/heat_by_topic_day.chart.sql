-- One row per topic and week of publication, of the six topics with most articles.
select topic, date_trunc('week', day)::date as week, sum(mean_heat * scored) / sum(scored) as mean_heat,
       sum(scored)::bigint as scored
from heat_by_topic_day
where scored > 0 and topic in (select topic from heat_by_topic order by articles desc, topic limit 6)
  and day > (select last_day from report_clock) - 730
group by all order by all
