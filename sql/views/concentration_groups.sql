-- One row per month, and per topic and month: how far its articles come from few providers.
-- A provider is a pair of name and domain (providers).
--   dimension: What the row stands for: month or topic_month
--   topic: Topic as given, where the row stands for a topic
--   month: First day of the month of publication (UTC); null = time unknown
--   articles: All articles of the month, or of the topic in the month
--   without_provider: Those that name no provider; no measure counts them
--   of_articles: Denominator of all shares: articles - without_provider
--   hhi: Herfindahl-Hirschman index: sum of the providers' squared shares, 1 / providers to 1 = one provider; null without any
--   hhi_points: hhi * 10,000, the scale of the US DOJ/FTC Merger Guidelines 2023
--   level: By those guidelines: high above 1,800 points, moderate from 1,000, else low; null below 30 of_articles
--   effective_providers: 1 / hhi: as many providers of equal size would give the same index (Adelman 1969)
--   gini: Gini coefficient over the providers present: sum of (2 i - n - 1) x_i / (n sum of x), x ascending; 0 = all equal
--   cr4: Share of the four largest providers together (four-firm concentration ratio)
--   top_provider: Provider with the most articles; of several, the last by name
--   top_provider_share: Its share
with members as (
    select 'month' as dimension, null::varchar as topic, article_id from articles
    union all
    select distinct 'topic_month', topic, article_id from article_topics where topic is not null),
counted as (
    select dimension, topic, date_trunc('month', published_at at time zone 'UTC')::date as month, provider_id,
           any_value(coalesce(provider_name, provider_domain)) as provider, count(*) as articles
    from members
    join articles using (article_id)
    group by dimension, topic, month, provider_id),
ranked as (
    select dimension, topic, month, provider_id, provider, articles,
           row_number() over (
               partition by dimension, topic, month, provider_id is null order by articles, provider, provider_id) as i,
           count(provider_id) over (partition by dimension, topic, month) as n,
           sum(articles) filter (provider_id is not null) over (partition by dimension, topic, month) as total
    from counted),
measured as (
    select
        dimension,
        topic,
        month,
        sum(articles)::bigint as articles,
        coalesce(sum(articles) filter (provider_id is null), 0)::bigint as without_provider,
        coalesce(any_value(total), 0)::bigint as of_articles,
        count(provider_id)::bigint as providers,
        10000 * sum(articles * articles) filter (provider_id is not null) / any_value(total * total)::double as hhi_points,
        sum((2 * i - n - 1) * articles) filter (provider_id is not null) / any_value(n * total)::double as gini,
        sum(articles) filter (provider_id is not null and i > n - 4) / any_value(total)::double as cr4,
        max(provider) filter (provider_id is not null and i = n) as top_provider,
        max(articles) filter (provider_id is not null) / any_value(total)::double as top_provider_share
    from ranked
    group by dimension, topic, month)
select
    dimension, topic, month, articles, without_provider, of_articles, providers,
    hhi_points / 10000 as hhi,
    hhi_points,
    case
        when of_articles < 30 then null
        when hhi_points > 1800 then 'high'
        when hhi_points >= 1000 then 'moderate'
        else 'low'
    end as level,
    10000 / hhi_points as effective_providers,
    gini, cr4, top_provider, top_provider_share
from measured
