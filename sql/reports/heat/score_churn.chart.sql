-- One row per week and kind of change, of the kinds that occur in more than one week.
with counted as (
    select date_trunc('week', day)::date as week, change, sum(files)::bigint as files
    from (unpivot (select day, new, content, score_only, secured_only, moved, deleted from score_churn)
          on new, content, score_only, secured_only, moved, deleted into name change value files)
    group by week, change)
select week, replace(change, '_', ' ') as change, files
from counted
qualify sum(files) over (partition by change) > 0 and count(*) over (partition by change) > 1
order by week, change
