-- One row per bin of quality, ten wide: how many articles score in it.
--   low: Lowest score of the bin
--   high: First score above the bin (low + 10)
--   articles: Articles in the bin; 0 where it is empty and bins on both sides are not
--   scored: Denominator: all articles with a quality score
--   share: articles / scored
--   cumulative_share: Articles in this bin and those below it / scored
--   first_day: Earliest day of publication of all scored (UTC)
--   last_day: Latest day of publication of all scored (UTC)
-- Empty bins are shown between 0 and 1,000 only, so that one absurd score does not make millions of rows.
with binned as (
    select quality::hugeint - ((quality % 10) + 10) % 10 as low, count(*) as articles,
           min(day) as first_day, max(day) as last_day
    from article_facts
    where quality is not null
    group by low),
bins as (
    select low from binned
    union
    select unnest(range(greatest(min(low), 0)::bigint, least(max(low), 1000)::bigint, 10))::hugeint
    from binned
    having count(*) > 0)
select
    try_cast(low as bigint) as low,
    try_cast(low + 10 as bigint) as high,
    coalesce(articles, 0) as articles,
    (sum(articles) over ())::bigint as scored,
    coalesce(articles, 0) / sum(articles) over () as share,
    sum(articles) over (order by low) / sum(articles) over () as cumulative_share,
    min(first_day) over () as first_day,
    max(last_day) over () as last_day
from bins
left join binned using (low)
order by bins.low
