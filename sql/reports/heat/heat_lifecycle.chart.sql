-- One row per step of heat in the first four weeks of a life, of the twelve lives that got hottest then.
with hottest as (
    select article_id, life, first_seen_at, coalesce(title, path) as name,
           row_number() over (order by peak_excess desc, hours_above_baseline desc, article_id, life) as place
    from heat_lifecycle
    where peak_excess > 0 and score_changes > 0 and hours_to_peak < 672
    qualify place <= 12),
steps as (
    select place, place || '. ' || name as article, heat_excess, stretch,
           (epoch(valid_from) - epoch(first_seen_at)) / 86400 as began,
           (epoch(valid_from) - epoch(first_seen_at)) / 86400 + hours / 24 as ended,
           max(stretch) over (partition by place) as last
    from heat_history
    join hottest using (article_id, life))
select place, article, round(began, 3) as days_since_first_seen, heat_excess
from steps
where began <= 28
union all
select place, article, round(least(ended, 28), 3), heat_excess
from steps
where began <= 28 and (ended > 28 or stretch = last)
order by place, days_since_first_seen
