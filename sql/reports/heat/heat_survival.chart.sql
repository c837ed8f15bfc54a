-- One row per step of the estimate, at most about 1,000, with the first and the last.
select hours, survival, survival_low, survival_high, censored, at_risk, events
from (
    select hours, survival, survival_low, survival_high, censored, at_risk, events,
           row_number() over (order by hours) as place, count(*) over () as places
    from heat_survival)
where hours = 0 or place = places or (place - 1) % greatest(1, places // 1000) = 0
qualify max(hours) over () > 0
order by hours
