-- One row per life of an article with a peak above its quality: how fast its heat fell after the peak.
--   article_id: document_id of the article; where the file moved, the last one of this life
--   title: Headline as it is now; null where the life has ended
--   peak_excess: Highest heat - quality
--   n: Denominator: the peak and the changes of scores after it, as long as heat stays above quality
--   hours_fitted: From the peak to the last of them [hour]
--   estimable: Whether a half-life can be estimated
--   reason: Why not; null where it can
--   slope: Change of ln(heat - quality) per hour, by least squares; null where it cannot be fitted [1 / hour]
--   half_life_hours: ln(2) / -slope: time in which the excess halves; null where not estimable [hour]
--   low_hours: Lower end of its 95 % interval: ln(2) / -(slope - t * standard error), Student's t with n - 2 degrees of freedom [hour]
--   high_hours: Upper end, ln(2) / -(slope + t * standard error); null = open, as the slope may be 0 or more [hour]
--   r_squared: Share of the variance of ln(excess) that the line explains; null where all are equal
--   of_lives: Denominator: lives with a peak, with those that cannot be estimated
-- Exponential decay, excess = peak * exp(slope * hours), fitted as a line through the logarithms (simple linear regression: Draper &
-- Smith, Applied Regression Analysis, 1998, ch. 1). At least 4 points, so that 2 degrees of freedom stay. The curve ends where heat is
-- back at its quality, suppressed or lost: what rises again later is another curve.
-- x in milliseconds and y in 1e-12 are whole numbers, so that sums are exact, whatever the order.
-- t up to 21 degrees of freedom from a list, beyond by Abramowitz & Stegun 26.7.5: within 1e-6 of SciPy's.
with stretches as materialized (
    select article_id, life, ended, stretch, valid_from, heat_excess
    from score_stretches),
points as (
    from stretches
    where heat_excess > 0),
peaks as (
    select article_id, life, any_value(ended) as ended, max(heat_excess) as peak_excess,
           arg_max(stretch, heat_excess::hugeint * 4294967296 - stretch) as peak_stretch,
           arg_max(valid_from, heat_excess::hugeint * 4294967296 - stretch) as peak_at
    from points
    group by article_id, life),
returns as (
    select article_id, life, min(stretch) as return_stretch
    from stretches
    join peaks using (article_id, life)
    where stretch > peak_stretch and not coalesce(heat_excess > 0, false)
    group by article_id, life),
fitted as (
    select article_id, life, count(*) as n, max(x) as last_x, sum(x) as sx, sum(y) as sy, sum(x * x) as sxx,
           sum(y * y) as syy, sum(x * y) as sxy
    from (select article_id, life, ((epoch_us(valid_from) - epoch_us(peak_at)) // 1000)::hugeint as x,
                 round(ln(heat_excess) * 1e12)::hugeint as y
          from points
          join peaks using (article_id, life)
          left join returns using (article_id, life)
          where stretch >= peak_stretch and coalesce(stretch < return_stretch, true))
    group by article_id, life),
moments as (
    select article_id, life, n, last_x, (n * sxx - sx * sx)::double as xx, (n * syy - sy * sy)::double as yy,
           (n * sxy - sx * sy)::double as xy
    from fitted),
slopes as (
    select article_id, life, n, last_x, xy / nullif(xx, 0) as b, xy ** 2 / nullif(xx * yy, 0) as r_squared,
           sqrt(greatest(0, yy - xy ** 2 / nullif(xx, 0)) / nullif(xx, 0) / nullif(n - 2, 0)) as error,
           case when n < 4 then null when n < 24 then [
                    4.302652730, 3.182446305, 2.776445105, 2.570581836, 2.446911851, 2.364624252, 2.306004135, 2.262157163,
                    2.228138852, 2.200985160, 2.178812830, 2.160368656, 2.144786688, 2.131449546, 2.119905299, 2.109815578,
                    2.100922040, 2.093024054, 2.085963447, 2.079613845][n - 3]
                else 1.959963984540054 + 2.372271230299 / (n - 2) + 2.822498615740 / (n - 2) ** 2 + 2.555849679508 / (n - 2) ** 3
                     + 1.589534053394 / (n - 2) ** 4 end as t
    from moments),
judged as (
    select article_id, life, n, last_x, b, r_squared, error, t,
           case when n < 4 then 'not estimable: fewer than 4 observations above quality from the peak on'
                when b is null then 'not estimable: all of them at one moment'
                when b >= 0 then 'not estimable: heat does not fall after the peak' end as reason
    from slopes)
select
    judged.article_id, life, title, url, provider, peak_excess, peak_at, n,
    last_x / 3600000::double as hours_fitted,
    reason is null as estimable,
    reason,
    b * 3.6e-6 as slope,
    case when reason is null then ln(2) / (-b * 3.6e-6) end as half_life_hours,
    case when reason is null then ln(2) / ((t * error - b) * 3.6e-6) end as low_hours,
    case when reason is null and b + t * error < 0 then ln(2) / (-(b + t * error) * 3.6e-6) end as high_hours,
    case when n > 2 then r_squared end as r_squared,
    count(*) over () as of_lives
from judged
join peaks using (article_id, life)
left join article_facts on article_facts.article_id = judged.article_id and ended is null
order by estimable desc, peak_excess desc, judged.article_id, life
