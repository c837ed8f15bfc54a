-- One row per warehouse: the moment up to which reports look.
--   as_of: Start of the last good run; the last change seen where no run is on record; null in an empty warehouse [UTC]
--   last_day: Newest day of publication (UTC) that is at most a day after as_of; a later date is an error of the site, not news
with clock as (
    select coalesce(
        (select max(started_at) from runs where outcome in ('published', 'unchanged', 'forgotten', 'rolled_back')),
        (select max(observed_at) from observations)) as as_of)
select as_of, max((published_at at time zone 'UTC')::date) as last_day
from clock
left join articles on published_at <= as_of + interval 1 day
group by as_of
