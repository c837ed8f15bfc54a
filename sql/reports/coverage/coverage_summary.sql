-- One row per warehouse: how much there is to report on, over which days, and how the last week compares.
--   articles: All articles
--   with_topic: Articles with at least one topic
--   without_topic: Articles without any
--   without_provider: Articles that name no provider
--   topics: Distinct topics of articles
--   providers: Distinct providers of articles (pairs of name and domain)
--   newest_article_at: Time of publication of the newest article that is not in the future [UTC]
--   undated: Articles without a day of publication
--   in_future: Articles dated after last_day, thus more than a day after as_of; in no figure by day
--   calendar_days: Days of the calendar of attention_by_topic_day: to last_day, from the first of at most 366 that has an article
--   days_with_articles: Days of that calendar with an article
--   days_without_articles: Days of that calendar without any
--   last_7_days: Articles of the seven days that end with last_day
--   previous_7_days: Articles of the seven days before those
with dated as (
    select
        count(*) as articles,
        count(*) filter (provider_id is null) as without_provider,
        count(distinct provider_id) as providers,
        min(day) filter (day <= last_day) as first_day,
        max(published_at) filter (day <= last_day) as newest_article_at,
        count(*) filter (day is null) as undated,
        count(*) filter (day > last_day or last_day is null and day is not null) as in_future,
        min(day) filter (day between last_day - 365 and last_day) as calendar_starts,
        count(distinct day) filter (day between last_day - 365 and last_day) as days_with_articles,
        count(*) filter (day between last_day - 6 and last_day) as last_7_days,
        count(*) filter (day between last_day - 13 and last_day - 7) as previous_7_days
    from article_facts
    cross join report_clock),
topical as (select count(distinct article_id) as with_topic, count(distinct topic) as topics from topic_facts),
counted as (
    select
        articles, with_topic, without_provider, topics, providers, first_day, last_day,
        newest_article_at, undated, in_future,
        coalesce(last_day - calendar_starts + 1, 0) as calendar_days,
        days_with_articles, last_7_days, previous_7_days, as_of
    from dated
    cross join topical
    cross join report_clock)
select
    articles,
    with_topic,
    articles - with_topic as without_topic,
    without_provider, topics, providers, first_day, last_day, newest_article_at, undated, in_future,
    calendar_days::bigint as calendar_days,
    days_with_articles,
    (calendar_days - days_with_articles)::bigint as days_without_articles,
    last_7_days,
    previous_7_days,
    as_of
from counted
