-- One row per warehouse: the sentence below the question of heat_survival.
select format('{:,} lives that were ever above: {:,} came back, of {:,} nothing more is known. ', max(lives),
              sum(events)::bigint, sum(censored)::bigint)
    || case when any_value(median_hours) is null then 'The median is not reached.'
       else format('Half of them are back after {:,.1f} hours (95 % interval {:,.1f} to {}).',
                   any_value(median_hours), any_value(median_low_hours),
                   coalesce(format('{:,.1f}', any_value(median_high_hours)), 'open')) end
from heat_survival
