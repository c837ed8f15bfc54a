-- One row per tenth of the scored articles by quality: how many of them the site shows.
--   decile: 1 (lowest) to 10 (highest)
--   low: Lowest quality in it
--   high: Highest quality in it
--   articles: Denominator of published_rate: articles in it
--   published: Articles in it that the site shows
--   rate_low: Lower end of the 95 % interval of the rate by Wilson, JASA 22, 1927
--   rate_high: Upper end of that interval
--   scored: Denominator of the deciles: all articles with a quality score
-- Equal scores share a decile: that of their middle rank, floor(10 * (lower + equal / 2) / scored) + 1. Where many are equal,
-- deciles differ in size and one may be missing.
-- The interval, with k published of n and z = 1.96: (k + z^2 / 2 -+ z * sqrt(k * (n - k) / n + z^2 / 4)) / (n + z^2).
with counted as (
    select quality, count(*) as articles, count(*) filter (is_published) as published, min(day) as first_day, max(day) as last_day
    from article_facts
    where quality is not null
    group by quality),
summed as (
    select quality, articles, published, first_day, last_day, (sum(articles) over ())::bigint as scored,
           (sum(articles) over (order by quality) - articles)::bigint as lower
    from counted),
deciles as (
    select 10 * (2 * lower + articles) // (2 * scored) + 1 as decile, min(quality) as low, max(quality) as high,
           sum(articles)::bigint as n, sum(published)::bigint as k, any_value(scored) as scored,
           min(first_day) as first_day, max(last_day) as last_day, 1.959964::double as z
    from summed
    group by decile)
select
    decile,
    low,
    high,
    n as articles,
    k as published,
    k / n::double as published_rate,
    greatest(0, (k + z * z / 2 - z * sqrt(k * (n - k) / n + z * z / 4)) / (n + z * z)) as rate_low,
    least(1, (k + z * z / 2 + z * sqrt(k * (n - k) / n + z * z / 4)) / (n + z * z)) as rate_high,
    scored,
    first_day,
    last_day
from deciles
order by decile
