-- One row per time after which a life's first spell above its quality ended or was lost from sight: how many still are above.
--   hours: Time since heat was first seen above quality; the first row is 0 [hour]
--   at_risk: Lives whose spell lasted at least as long
--   events: Those whose heat was back at quality, or below, after exactly this time
--   censored: Those of which nothing more is known: end of what is known, end of the life, suppressed or unscored
--   survival: Kaplan-Meier estimate of the share that is above quality for longer
--   std_error: Greenwood's standard error of survival; null where survival is 0
--   survival_low: Lower end of the 95 % interval, survival ** exp(1.96 * e), e = Greenwood's sum's root / |ln(survival)|; null at 0 and 1
--   survival_high: Upper end, survival ** exp(-1.96 * e)
--   lives: Denominator: lives that were ever above their quality
--   median_hours: Shortest hours with survival of at most a half, the same in each row; null = not reached [hour]
--   median_low_hours: Shortest hours at which the interval holds a half: lower end of the median's 95 % interval [hour]
--   median_high_hours: Shortest hours at which the interval is below a half: its upper end; null = open [hour]
-- Kaplan & Meier, JASA 53, 1958: the product of 1 - events / at_risk. Greenwood, 1926: survival times the root of the sum of
-- events / (at_risk * (at_risk - events)). Interval on the scale of ln(-ln(survival)), which stays within 0 and 1: Kalbfleisch &
-- Prentice, 1980. Median's interval: Brookmeyer & Crowley, Biometrics 38, 1982.
-- One spell for each life, its first: later ones of the same life are not independent; a life after an end counts as another case.
-- Suppression and deletion censor: they end what is seen, not the heat; that they come independently of heat is assumed.
with history as materialized (
    select article_id, life, stretch, valid_from, until, heat_excess
    from score_stretches),
firsts as (
    select article_id, life, min(stretch) as first
    from history
    where heat_excess > 0
    group by article_id, life),
spells as (
    select min(valid_from) as above_from, max(until) as until,
           arg_min(valid_from, stretch) filter (stretch > first and coalesce(heat_excess, 0) <= 0) as left_at,
           coalesce(arg_min(heat_excess is not null, stretch) filter (stretch > first and coalesce(heat_excess, 0) <= 0), false)
               as is_event
    from history
    join firsts using (article_id, life)
    where stretch >= first
    group by article_id, life),
counted as (
    select duration, sum(events) as events, sum(censored) as censored
    from (select epoch_us(coalesce(left_at, until)) - epoch_us(above_from) as duration, is_event::bigint as events,
                 (not is_event)::bigint as censored
          from spells
          union all
          select 0, 0, 0
          where exists (from spells))
    group by duration),
ranked as (
    select duration, events, censored, sum(events + censored) over (order by duration desc) as at_risk
    from counted),
estimated as (
    select duration, events, censored, at_risk, product(1 - events / at_risk::double) over in_time as survival,
           sqrt(sum(events / (at_risk::double * nullif(at_risk - events, 0))) over in_time) as greenwood
    from ranked
    window in_time as (order by duration)),
bounded as (
    select duration, events, censored, at_risk, survival, greenwood,
           case when survival > 0 and survival < 1 then survival ** exp(1.959963984540054 * greenwood / -ln(survival)) end as low,
           case when survival > 0 and survival < 1 then survival ** exp(1.959963984540054 * greenwood / ln(survival)) end as high
    from estimated)
select
    duration / 3600e6::double as hours,
    at_risk::bigint as at_risk,
    events::bigint as events,
    censored::bigint as censored,
    survival,
    case when survival > 0 then survival * greenwood end as std_error,
    low as survival_low,
    high as survival_high,
    max(at_risk) over ()::bigint as lives,
    min(duration) filter (survival <= 0.5 + 1e-12) over () / 3600e6::double as median_hours,
    min(duration) filter (low <= 0.5 + 1e-12 or survival = 0) over () / 3600e6::double as median_low_hours,
    min(duration) filter (high <= 0.5 + 1e-12 or survival = 0) over () / 3600e6::double as median_high_hours
from bounded
order by hours
