-- One row per month with articles: which share of those with heat is suppressed.
--   with_heat: Denominator of suppressed_share: articles with heat 0 or more, or -1
--   suppressed_share: suppressed / with_heat
--   share_low: Lower end of the 95 % interval of the share by Wilson, JASA 22, 1927; null without heat
--   share_high: Upper end of that interval
-- With k of n and z = 1.96: (k + z^2 / 2 -+ z * sqrt(k * (n - k) / n + z^2 / 4)) / (n + z^2).
with counted as (
    select month, articles, unscored, scored + suppressed as n, suppressed as k, first_day, last_day, 1.959964::double as z
    from heat_groups
    where dimension = 'month')
select
    month,
    articles,
    unscored,
    n as with_heat,
    k as suppressed,
    k / nullif(n, 0)::double as suppressed_share,
    case when n > 0 then greatest(0, (k + z * z / 2 - z * sqrt(k * (n - k) / n + z * z / 4)) / (n + z * z)) end as share_low,
    case when n > 0 then least(1, (k + z * z / 2 + z * sqrt(k * (n - k) / n + z * z / 4)) / (n + z * z)) end as share_high,
    first_day,
    last_day
from counted
order by month nulls last
