-- One row per topic and day: its share of the day's attention, over a calendar without holes.
-- The calendar ends at report_clock.last_day and holds at most 366 days, so that a date such as 1970 or 2099 does not stretch it.
--   topic: Topic as given; the 30 with the most articles in the calendar's days, ties by name
--   day: Day of publication (UTC), from the first to the newest, at most 366 days
--   articles: Articles of the topic on that day; 0 where there are none
--   of_articles: Denominator: all articles of that day, with and without topics
--   attention_share: articles / of_articles; an article with two topics counts for both; null on a day without any article (0 / 0)
--   fractional_share: The same with each article counted once, split over its topics (topic_facts.weight)
--   articles_7_days: Articles of the topic on that day and the six before it that the calendar has
--   of_articles_7_days: Denominator: all articles of those days
--   attention_share_7_days: articles_7_days / of_articles_7_days, so a day weighs by its articles; null where there are none
with dated as (
    select article_id, day
    from article_facts
    join report_clock on day between last_day - 365 and last_day),
daily as (select day, count(*) as articles from dated group by day),
calendar as (
    select day::date as day, coalesce(articles, 0) as articles
    from (select unnest(generate_series(min(day), max(day), interval 1 day))::date as day from daily) as days
    left join daily using (day)),
topic_days as (
    select topic, day, count(*) as articles, sum(weight order by weight) as weight
    from topic_facts
    join dated using (article_id)
    group by topic, day),
largest as (select topic from topic_days group by topic order by sum(articles) desc, topic limit 30)
select
    topic,
    day,
    coalesce(topic_days.articles, 0)::bigint as articles,
    calendar.articles::bigint as of_articles,
    coalesce(topic_days.articles, 0) / nullif(calendar.articles, 0)::double as attention_share,
    coalesce(weight, 0) / nullif(calendar.articles, 0)::double as fractional_share,
    sum(coalesce(topic_days.articles, 0)) over week::bigint as articles_7_days,
    sum(calendar.articles) over week::bigint as of_articles_7_days,
    sum(coalesce(topic_days.articles, 0)) over week / nullif(sum(calendar.articles) over week, 0)::double as attention_share_7_days
from largest
cross join calendar
left join topic_days using (topic, day)
window week as (partition by topic order by day rows between 6 preceding and current row)
order by topic, day
