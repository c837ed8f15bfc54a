-- One row per month: mean quality, with its interval from 5 scored articles on; a score is not below 0.
select month, scored, mean_quality,
       case when scored >= 5 then greatest(mean_low, 0) end as mean_low,
       case when scored >= 5 then mean_high end as mean_high
from quality_by_month order by month
