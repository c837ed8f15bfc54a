-- One row per weekday and hour (UTC), 168 in all: when articles are published.
-- A date without a time (finding date_without_time) says no hour, though it is stored as midnight.
--   weekday: Day of the week by ISO 8601: 1 = Monday to 7 = Sunday (UTC)
--   hour: Hour of the day, 0 to 23 (UTC)
--   articles: Articles published in that hour; 0 where there are none
--   of_articles: Denominator: articles in any of the cells
--   share: articles / of_articles; null where no article has a time of day
--   without_time: Articles in no cell: without a date, with a date alone, or dated after report_clock.last_day
--   first_day: Earliest day of publication of the articles counted (UTC)
--   last_day: Latest day of publication of the articles counted (UTC)
with timed as (
    select published_at at time zone 'UTC' as time, day
    from article_facts
    anti join (select article_id from findings where rule = 'date_without_time' and field = 'publishedDateTime') as day_only
        using (article_id)
    join report_clock on day <= last_day),
cells as (select isodow(time) as weekday, hour(time) as hour, count(*) as articles from timed group by all),
totals as (
    select
        (select count(*) from articles) as all_articles,
        (select count(*) from timed) as of_articles,
        (select min(day) from timed) as first_day,
        (select max(day) from timed) as last_day)
select
    weekday::bigint as weekday,
    hour::bigint as hour,
    coalesce(articles, 0)::bigint as articles,
    of_articles,
    coalesce(articles, 0) / nullif(of_articles, 0)::double as share,
    all_articles - of_articles as without_time,
    first_day,
    last_day
from (select unnest(range(1, 8)) as weekday) as weekdays
cross join (select unnest(range(24)) as hour) as hours
join totals on all_articles > 0
left join cells using (weekday, hour)
order by weekday, hour
