-- One row per article whose heat moved in the last 7 days before the end of what is known: by how much, and whether that is usual.
--   heat: Heat then; null = suppressed or unscored
--   heat_state: State of heat then: scored, suppressed (heat = -1) or unscored
--   heat_24h_ago: Heat 24 hours before; the first heat where the article was first seen later; null = suppressed or unscored
--   change_24h: heat - heat_24h_ago; null unless both are scored
--   heat_7d_ago: Heat 7 days before, likewise
--   change_7d: heat - heat_7d_ago; null unless both are scored
--   previous_heat: Heat before the last change; null = suppressed or unscored
--   previous_heat_state: State of heat before it
--   changed_at: Time of the last change: that of the commit, or of the run that saw it [UTC]
--   changes_24h: Changes of heat in the last 24 hours
--   changes_7d: Changes of heat in the last 7 days
--   median_heat: Median of heat over the last 28 days, each heat weighted by its time; null = not scored for any time
--   mad_heat: Median of the distances of heat from median_heat, weighted likewise
--   baseline_hours: Denominator of both: time with heat scored within the 28 days [hour]
--   robust_score: (heat - median_heat) / (1.4826 * mad_heat); null where mad_heat is 0: the article was at its median most of the time
--   observations: Observations of the article on record, those at the file's earlier paths too
--   of_articles: Denominator: articles whose history goes on
-- Weighted median: of the heats in order, the first that with those below it has half of the time; where that is exactly a half, the
-- mean of it and the next. 1.4826 * MAD estimates the standard deviation of normal values (Iglewicz & Hoaglin, 1993).
-- Windows are open at their beginning: a change exactly 24 hours before the end is none of the last 24 hours.
with history as materialized (
    select article_id, stretch, valid_from, valid_to, until, known_until, heat, heat_state, observations,
           epoch_us(known_until) - epoch_us(valid_from) as age
    from score_stretches
    where ended is null),
recent as (
    select article_id from history where stretch > 1 and age < 604800000000 group by article_id),
compared as (
    select article_id, stretch, valid_from, valid_to, until, known_until, heat, heat_state, observations, age,
           lag(heat) over in_order as previous_heat, lag(heat_state) over in_order as previous_state
    from history
    where article_id in (from recent)
    window in_order as (partition by article_id order by stretch)),
changes as (
    select article_id, count(*) filter (age < 86400000000) as changes_24h, count(*) filter (age < 604800000000) as changes_7d,
           max(stretch) as last
    from compared
    where stretch > 1 and (heat_state <> previous_state or heat <> previous_heat)
    group by article_id
    having changes_7d > 0),
moved as (
    select article_id, any_value(known_until) as known_until, changes_24h, changes_7d, sum(observations)::bigint as observations,
           max(heat) filter (valid_to is null) as heat, max(heat_state) filter (valid_to is null) as heat_state,
           max(previous_heat) filter (stretch = last) as previous_heat, max(previous_state) filter (stretch = last) as previous_state,
           max(valid_from) filter (stretch = last) as changed_at,
           case when max(age) < 86400000000 then max(heat) filter (stretch = 1)
                else max(heat) filter (age >= 86400000000 and epoch_us(known_until) - epoch_us(until) < 86400000000) end
               as heat_24h_ago,
           case when max(age) < 604800000000 then max(heat) filter (stretch = 1)
                else max(heat) filter (age >= 604800000000 and epoch_us(known_until) - epoch_us(until) < 604800000000) end
               as heat_7d_ago
    from compared
    join changes using (article_id)
    group by article_id, changes_24h, changes_7d),
weighed as (
    select article_id, heat, sum(least(age, 2419200000000) - (epoch_us(known_until) - epoch_us(until)))::hugeint as weight
    from compared
    where heat is not null and epoch_us(known_until) - epoch_us(until) < 2419200000000 and until > valid_from
    group by article_id, heat),
cumulated as (
    select article_id, heat, weight, sum(weight) over (partition by article_id order by heat) as below,
           sum(weight) over (partition by article_id) as whole
    from weighed),
medians as (
    select article_id, any_value(whole) as whole,
           min(heat) filter (2 * below >= whole) / 2.0::double + min(heat) filter (2 * below > whole) / 2.0::double as median_heat
    from cumulated
    group by article_id),
distances as (
    select article_id, abs(heat - median_heat) as distance, sum(weight)::hugeint as weight
    from weighed
    join medians using (article_id)
    group by article_id, distance),
spread as (
    select article_id, min(distance) filter (2 * below >= whole) / 2 + min(distance) filter (2 * below > whole) / 2 as mad_heat
    from (select article_id, distance, sum(weight) over (partition by article_id order by distance) as below,
                 sum(weight) over (partition by article_id) as whole
          from distances)
    group by article_id)
select
    moved.article_id, title, url, provider, published_at, is_published, known_until, moved.heat,
    moved.heat_state, heat_24h_ago,
    try_cast(moved.heat::hugeint - heat_24h_ago as bigint) as change_24h,
    heat_7d_ago,
    try_cast(moved.heat::hugeint - heat_7d_ago as bigint) as change_7d,
    quality,
    case when moved.heat is not null then try_cast(moved.heat::hugeint - quality as bigint) end as heat_excess,
    previous_heat,
    previous_state as previous_heat_state,
    changed_at, changes_24h, changes_7d, median_heat, mad_heat,
    coalesce(whole, 0) / 3600e6::double as baseline_hours,
    (moved.heat - median_heat) / nullif(1.4826 * mad_heat, 0) as robust_score,
    observations,
    (select count(distinct article_id) from history) as of_articles
from moved
join article_facts using (article_id)
left join medians using (article_id)
left join spread using (article_id)
order by abs(change_24h) desc nulls last, abs(change_7d) desc nulls last, changed_at desc, article_id
