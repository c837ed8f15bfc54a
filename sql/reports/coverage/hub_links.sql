-- One row per URL that more than 100 article URLs list as related: it joins no story, see story_members.
-- A page that everybody links (a guide, a subscription) says nothing about a story. Where most listings are in time, though, the
-- URL may be a true story that is larger than the limit.
--   title: Headline of the related item that is the earliest published
--   provider: Its outlet: name, or domain where it has no name
--   listed_by: Distinct article URLs that list it (an article without URL counts as one)
--   of_listing: Denominator: distinct article URLs that list any other URL
--   listed_share: listed_by / of_listing
--   in_time: Of listed_by, those first published within 3 days of it, or one of the times is unknown: what the limit cut off
--   our_articles: Our articles with that URL
--   first_day: Earliest day on which a URL that lists it was first published (UTC)
--   last_day: Latest such day (UTC)
with listed as (
    select distinct related.url, coalesce(articles.url, articles.article_id) as member_id
    from related
    join articles using (article_id)
    where related.url <> coalesce(articles.url, articles.article_id)),
hubs as (select url, count(*) as listed_by from listed group by url having count(*) > 100),
mentions as (
    select coalesce(url, article_id) as member_id, article_id, 0 as position, published_at, title,
           coalesce(provider_name, provider_domain) as provider
    from articles
    union all
    select url, article_id, position, published_at, title, coalesce(provider_name, provider_domain)
    from related
    where url is not null),
first_times as (select member_id, min(published_at) as published_at from mentions group by member_id),
described as (
    select
        hubs.url,
        arg_min(
            {'title': title, 'provider': provider},
            (position > 0, coalesce(published_at, timestamptz '9999-01-01 00:00:00+00'), article_id, position)) as chosen,
        count(*) filter (position = 0) as our_articles
    from mentions
    join hubs on hubs.url = mentions.member_id
    group by hubs.url)
select
    hubs.url,
    any_value(described.chosen.title) as title,
    any_value(described.chosen.provider) as provider,
    count(*) as listed_by,
    (select count(distinct member_id) from listed) as of_listing,
    count(*) / (select count(distinct member_id) from listed)::double as listed_share,
    count(*) filter (
        coalesce(abs(epoch_us(theirs.published_at) - epoch_us(mine.published_at)) <= 3 * 86400000000, true)) as in_time,
    any_value(described.our_articles) as our_articles,
    (min(theirs.published_at) at time zone 'UTC')::date as first_day,
    (max(theirs.published_at) at time zone 'UTC')::date as last_day
from hubs
join described on described.url = hubs.url
join listed on listed.url = hubs.url
join first_times as mine on mine.member_id = hubs.url
join first_times as theirs on theirs.member_id = listed.member_id
group by hubs.url
order by listed_by desc, hubs.url
