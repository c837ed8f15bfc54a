-- One row per topic and run of days without an article of it: where coverage stopped for longer than is usual for the topic.
-- Listed are gaps of at least 3 times the topic's usual interval (so at least 3 days) that reach into the last 366 days up to
-- report_clock.last_day, of topics with articles on at least 10 days. Articles of more than ten years before that day, or dated
-- after it, are left out: such dates are errors more often than news. Days before a topic's first article are not a gap.
-- Why: 'no news' where days_with_news > 0: the site collected other news in the gap. Else 'no articles' where good_runs > 0: no
-- article of any topic, yet a run looked on those days. Else 'no run': nothing shows that anyone looked; a later run does not, as
-- it finds what the site collected and not what it missed. Days before the first run on record count as days without a run.
--   first_day: First day without an article of the topic (UTC)
--   last_day: Last day without one (UTC); where is_open, the newest day of publication of any article
--   days: Days of the gap, both ends included
--   is_open: Whether the topic has had no article since
--   usual_interval_days: Median number of days from one day with an article of the topic to the next (1 = daily)
--   topic_days: Days with an article of the topic: what the median stands on
--   days_with_news: Days of the gap on which articles without the topic were published
--   other_articles: Articles without the topic that were published in the gap
--   good_runs: Runs that started on a day of the gap (UTC) and published or found nothing changed
--   why: no news (other news came), no articles (a run looked, none came of any topic) or no run (nothing shows that anyone looked)
with dated as (
    select article_id, day
    from article_facts
    join report_clock on day between last_day - 3653 and last_day),
daily as (
    select day, articles, sum(articles) over (order by day) as articles_until, row_number() over (order by day) as days_until
    from (select day, count(*) as articles from dated group by day)),
topic_days as (select distinct topic, day from topic_facts join dated using (article_id)),
steps as (
    select topic, day, lead(day) over (partition by topic order by day) as next_day
    from topic_days),
usual as (
    select topic, median(next_day - day) as usual_interval_days, count(*) as topic_days
    from steps
    group by topic
    having count(*) >= 10),
gaps as (
    select
        topic,
        day + 1 as first_day,
        coalesce(next_day - 1, report_clock.last_day) as last_day,
        next_day is null as is_open,
        usual_interval_days,
        topic_days
    from steps
    join usual using (topic)
    cross join report_clock
    where coalesce(next_day - 1, report_clock.last_day) >= report_clock.last_day - 365
      and coalesce(next_day - 1, report_clock.last_day) - day >= 3 * usual_interval_days),
good_days as (
    select started_at::date as day, count(*) as runs
    from (select started_at at time zone 'UTC' as started_at from runs where outcome in ('published', 'unchanged'))
    group by day),
run_days as (select day, sum(runs) over (order by day) as runs_until from good_days),
counted as (
    select
        topic, first_day, last_day, is_open, usual_interval_days, topic_days,
        until.days_until - before.days_until as days_with_news,
        until.articles_until - before.articles_until as other_articles,
        coalesce(runs_until.runs_until, 0) - coalesce(runs_before.runs_until, 0) as good_runs
    from gaps
    asof join daily as until on gaps.last_day >= until.day
    asof join daily as before on gaps.first_day > before.day
    asof left join run_days as runs_until on gaps.last_day >= runs_until.day
    asof left join run_days as runs_before on gaps.first_day > runs_before.day)
select
    topic,
    first_day,
    last_day,
    (last_day - first_day + 1)::bigint as days,
    is_open,
    usual_interval_days::double as usual_interval_days,
    topic_days::bigint as topic_days,
    days_with_news::bigint as days_with_news,
    other_articles::bigint as other_articles,
    good_runs::bigint as good_runs,
    case when days_with_news > 0 then 'no news' when good_runs > 0 then 'no articles' else 'no run' end as why
from counted
order by days desc, topic, first_day
