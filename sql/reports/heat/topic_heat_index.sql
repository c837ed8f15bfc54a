-- One row per topic and week: how hot its articles were in that week, compared with all articles.
--   topic: Topic as given, of those that the article has now
--   week: Monday of the ISO week (UTC)
--   article_hours: Denominator: time of the week that its articles spent with heat 0 or more and a quality score [hour]
--   all_article_hours: The same time of all articles, of those without a topic too [hour]
--   mean_heat: Mean heat over article_hours
--   mean_excess: Mean of heat - quality over article_hours
--   all_mean_heat: Mean heat over all_article_hours
--   all_mean_excess: Mean of heat - quality over all_article_hours
--   heat_index: 100 * mean_heat / all_mean_heat: 100 = as hot as all articles; null where that mean is 0
--   excess_index: 100 * mean_excess / all_mean_excess: 100 = heated as much as all articles; null where that mean is not above 0
-- Weeks, since days are noise where few articles come: a site of three years has 150 of them. Articles that are gone have no topics,
-- so that they count nowhere, neither in their topics nor in all.
-- An integral over time from its steps: what a stretch adds at its beginning it takes away at its end. The sum of the steps before a
-- week is the level at its start, and each step within counts from its moment to the end of the week. Weeks are counted from
-- 0001-01-01, a Monday, in whole microseconds, so that sums are exact.
with timed as (
    select article_id, (moment + 62135596800000000) // 604800000000 as week,
           (604800000000 - (moment + 62135596800000000) % 604800000000)::hugeint as remaining, sign, heat, excess
    from (select article_id, unnest([epoch_us(valid_from), epoch_us(until)]) as moment, unnest([1, -1]) as sign, heat::hugeint as heat,
                 heat_excess::hugeint as excess
          from score_stretches
          where heat_excess is not null and ended is null)),
steps as (
    select article_id, week, sum(sign)::hugeint as n, sum(sign * remaining)::hugeint as n_time, sum(sign * heat)::hugeint as heat,
           sum(sign * heat * remaining)::hugeint as heat_time, sum(sign * excess)::hugeint as excess,
           sum(sign * excess * remaining)::hugeint as excess_time
    from timed
    group by article_id, week),
members as (
    select topic, article_id from topic_facts union all select null, article_id from article_facts),
summed as (
    select topic, week, sum(n) as n, sum(n_time) as n_time, sum(heat) as heat, sum(heat_time) as heat_time, sum(excess) as excess,
           sum(excess_time) as excess_time
    from steps
    join members using (article_id)
    group by topic, week),
calendar as (
    select topic, unnest(range(min(week), (select max(week) + 1 from steps))) as week
    from summed
    group by topic),
integrals as (
    select topic, week, n_time + 604800000000 * (sum(n) over in_time - n) as hours,
           heat_time + 604800000000 * (sum(heat) over in_time - heat) as heat,
           excess_time + 604800000000 * (sum(excess) over in_time - excess) as excess
    from (select calendar.topic, calendar.week, coalesce(n, 0) as n, coalesce(n_time, 0) as n_time, coalesce(heat, 0) as heat,
                 coalesce(heat_time, 0) as heat_time, coalesce(excess, 0) as excess, coalesce(excess_time, 0) as excess_time
          from calendar
          left join summed on summed.week = calendar.week and summed.topic is not distinct from calendar.topic)
    window in_time as (partition by topic order by week)),
means as (
    select topic, week, hours, heat / hours::double as mean_heat, excess / hours::double as mean_excess
    from integrals
    where hours > 0)
select
    one.topic,
    date '0001-01-01' + (7 * one.week)::integer as week,
    one.hours / 3600e6::double as article_hours,
    every.hours / 3600e6::double as all_article_hours,
    one.mean_heat,
    one.mean_excess,
    every.mean_heat as all_mean_heat,
    every.mean_excess as all_mean_excess,
    100 * one.mean_heat / nullif(every.mean_heat, 0) as heat_index,
    100 * one.mean_excess / case when every.mean_excess > 0 then every.mean_excess end as excess_index
from means as one
join means as every on every.week = one.week and every.topic is null
where one.topic is not null
order by one.topic, week
