-- One row per field and month, of the last 24 months.
select strftime(month, '%Y-%m') as month, field, present_share, items, missing, invalid, repaired
from field_completeness
where level = 'article' and month is not null
  and month > (select max(month) from field_completeness) - interval 24 month
order by field, month
