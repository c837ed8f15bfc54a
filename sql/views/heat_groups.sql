-- One row per provider, topic, topic and day, month, and one for all: heat over the articles with a score that is not suppressed.
--   dimension: What the row stands for: all, provider, topic, topic_day or month
--   provider_id: Provider, where the row stands for one; articles without a provider are in no such row
--   topic: Topic as given, where the row stands for a topic
--   day: Day of publication (UTC), where the row stands for a day; null = time unknown
--   month: First day of the month of publication (UTC), where the row stands for a month; null = time unknown
--   articles: All articles of the group; an article with two topics counts for both
--   scored: Denominator of the heat figures: articles with heat 0 or more
--   suppressed: Articles with heat -1; never part of a mean
--   unscored: Articles without heat; in no figure
--   suppressed_share: suppressed / (scored + suppressed)
--   mean_heat: Arithmetic mean over the scored
--   median_heat: Median over the scored
--   p90_heat: 90th percentile over the scored, interpolated
--   min_heat: Lowest heat over the scored
--   max_heat: Highest heat over the scored
--   with_both: Denominator of the figures on quality: articles with heat 0 or more and a quality score
--   equal_to_quality: Those whose heat is their quality: nothing has heated or cooled them
--   mean_excess: Mean of heat - quality over with_both
with judged as (
    select article_id, provider_id, (published_at at time zone 'UTC')::date as published_on, heat = -1 as is_suppressed,
           case when heat >= 0 then heat end as heat,
           case when heat >= 0 then try_cast(heat::hugeint - quality as bigint) end as excess
    from articles),
topical as (select distinct article_id, topic from article_topics where topic is not null),
members as (
    select 'all' as dimension, null::varchar as provider_id, null::varchar as topic, null::date as day, null::date as month,
           article_id
    from (select article_id from judged union all select null)  -- so that there is a row without any article too
    union all
    select 'provider', provider_id, null, null, null, article_id from judged where provider_id is not null
    union all
    select 'topic', null, topic, null, null, article_id from topical
    union all
    select 'topic_day', null, topic, published_on, null, article_id from topical join judged using (article_id)
    union all
    select 'month', null, null, null, date_trunc('month', published_on)::date, article_id from judged)
select
    dimension, members.provider_id, topic, day, month,
    count(article_id) as articles,
    count(heat) as scored,
    count(*) filter (is_suppressed) as suppressed,
    count(article_id) - count(heat) - count(*) filter (is_suppressed) as unscored,
    count(*) filter (is_suppressed) / nullif(count(heat) + count(*) filter (is_suppressed), 0)::double as suppressed_share,
    avg(heat) as mean_heat,
    median(heat) as median_heat,
    quantile_cont(heat, 0.9) as p90_heat,
    min(heat) as min_heat,
    max(heat) as max_heat,
    count(excess) as with_both,
    count(*) filter (excess = 0) as equal_to_quality,
    avg(excess) as mean_excess,
    min(published_on) as first_day,
    max(published_on) as last_day
from members
left join judged using (article_id)
group by dimension, members.provider_id, topic, day, month
