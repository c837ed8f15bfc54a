-- One row per tenth of the scored articles by quality: how many of them the site shows.
--   decile: 1 (lowest) to 10 (highest)
--   low: Lowest quality in it
--   high: Highest quality in it
--   articles: Denominator of published_rate: articles in it
--   published: Articles in it that the site shows
--   published_rate: published / articles
--   rate_low: Lower end of the 95 % interval of the rate by Wilson, JASA 22, 1927
--   rate_high: Upper end of that interval
--   scored: Denominator of the deciles: all articles with a quality score
--   first_day: Earliest day of publication (UTC)
--   last_day: Latest day of publication (UTC)
-- Equal scores share a decile: that of their middle rank, floor(10 * (lower + equal / 2) / scored) + 1. Where many are equal,
-- deciles differ in size and one may be missing.
with counted as (
    select quality, count(*) as articles, count(*) filter (is_published) as published, min(day) as first_day, max(day) as last_day
    from article_facts
    where quality is not null
    group by quality),
placed as (
    select quality, articles, published, first_day, last_day, (sum(articles) over ())::bigint as scored,
           10 * (2 * (sum(articles) over (order by quality))::bigint - articles) // (2 * (sum(articles) over ())::bigint) + 1 as decile
    from counted),
deciles as (
    select decile, min(quality) as low, max(quality) as high, sum(articles)::bigint as articles, sum(published)::bigint as published,
           any_value(scored) as scored, min(first_day) as first_day, max(last_day) as last_day, 1.959964::double as z
    from placed
    group by decile)
select
    decile,
    low,
    high,
    articles,
    published,
    published / articles::double as published_rate,
    greatest(0, (published + z * z / 2 - z * sqrt(published * (articles - published) / articles::double + z * z / 4)) / (articles + z * z))
        as rate_low,
    least(1, (published + z * z / 2 + z * sqrt(published * (articles - published) / articles::double + z * z / 4)) / (articles + z * z))
        as rate_high,
    scored,
    first_day,
    last_day
from deciles
order by decile
