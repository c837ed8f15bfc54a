-- One row per provider: since when it has been there, how often it publishes, and whether it has fallen silent.
-- Days are counted up to report_clock.last_day, the newest day of any article, so that a site that stands still makes no provider
-- silent. Articles without a day, or dated after that one, count in `articles` alone.
-- State: the first that holds of 'undated' (no usable day), 'new' (its first article is of the last 30 days, and others have older
-- ones), 'occasional' (fewer than 5 active days: too few to say what is usual), 'silent' (days_since_last is more than 3 times its
-- usual_interval_days, and more than 7), 'active'.
--   articles: All articles of the provider
--   undated: Those without a usable day of publication
--   last_day: Latest day of publication (UTC)
--   active_days: Days with an article
--   usual_interval_days: Median number of days from one day with an article to the next (1 = daily); null with fewer than two days
--   days_since_last: Days from last_day to up_to_day; 0 = it has an article on the newest day
--   up_to_day: Day up to which is counted: report_clock.last_day
--   last_30_days: Articles of the 30 days that end with up_to_day
--   previous_30_days: Articles of the 30 days before those
--   state: undated, new (within 30 days), occasional (under 5 active days), silent (over 3 usual intervals and 7 days) or active
with days as (
    select provider_id, day, count(*) as articles, last_day as up_to_day
    from article_facts
    join report_clock on day <= last_day
    where provider_id is not null
    group by provider_id, day, last_day),
steps as (
    select provider_id, day, articles, up_to_day, lead(day) over (partition by provider_id order by day) - day as interval_days
    from days),
dated as (
    select
        provider_id,
        min(day) as first_day,
        max(day) as last_day,
        count(*) as active_days,
        sum(articles) as articles,
        median(interval_days) as usual_interval_days,
        any_value(up_to_day) as up_to_day,
        sum(articles) filter (day > up_to_day - 30) as last_30_days,
        sum(articles) filter (day between up_to_day - 59 and up_to_day - 30) as previous_30_days
    from steps
    group by provider_id),
totals as (select provider_id, count(*) as articles from article_facts where provider_id is not null group by provider_id),
measured as (
    select
        coalesce(providers.name, providers.domain) as provider,
        providers.domain,
        provider_id,
        totals.articles,
        totals.articles - coalesce(dated.articles, 0) as undated,
        first_day,
        dated.last_day,
        coalesce(active_days, 0) as active_days,
        usual_interval_days,
        dated.up_to_day - dated.last_day as days_since_last,
        report_clock.last_day as up_to_day,
        coalesce(last_30_days, 0) as last_30_days,
        coalesce(previous_30_days, 0) as previous_30_days
    from totals
    join providers using (provider_id)
    left join dated using (provider_id)
    cross join report_clock)
select
    provider,
    domain,
    articles,
    undated::bigint as undated,
    first_day,
    last_day,
    active_days::bigint as active_days,
    usual_interval_days::double as usual_interval_days,
    days_since_last::bigint as days_since_last,
    up_to_day,
    last_30_days::bigint as last_30_days,
    previous_30_days::bigint as previous_30_days,
    case
        when first_day is null then 'undated'
        when first_day > up_to_day - 30 and (select min(first_day) from dated) <= up_to_day - 30 then 'new'
        when active_days < 5 then 'occasional'
        when days_since_last > 3 * usual_interval_days and days_since_last > 7 then 'silent'
        else 'active'
    end as state
from measured
order by articles desc, provider, domain, provider_id
