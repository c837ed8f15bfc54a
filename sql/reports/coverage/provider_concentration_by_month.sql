-- One row per month: how far all articles come from few providers. A provider is a pair of name and domain (providers).
-- With few articles every measure is high by necessity (n articles cannot give an HHI below 1 / n): read it beside `articles`.
--   month: First day of the month of publication (UTC); null where the time is unknown
--   articles: All articles of that month, with and without topics
--   without_provider: Those that name no provider; no measure counts them
--   of_articles: Denominator of all shares: articles - without_provider
--   providers: Distinct providers
--   hhi: Herfindahl-Hirschman index: sum of the providers' squared shares, 1 / providers to 1 = one provider; null without any
--   hhi_points: hhi * 10,000, the scale of the US DOJ/FTC Merger Guidelines 2023
--   level: By those guidelines: high above 1,800 points, moderate from 1,000, else low; null below 30 of_articles
--   effective_providers: 1 / hhi: as many providers of equal size would give the same index (Adelman 1969)
--   gini: Gini coefficient over the providers present: sum of (2 i - n - 1) x_i / (n sum of x), x ascending; 0 = all equal
--   cr4: Share of the four largest providers together (four-firm concentration ratio)
--   top_provider: Provider with the most articles; of several, the last by name
--   top_provider_share: Its share
with counted as (
    select month, provider_id, any_value(provider) as provider, count(*) as articles
    from article_facts
    group by month, provider_id),
ranked as (
    select month, provider_id, provider, articles,
           row_number() over (partition by month, provider_id is null order by articles, provider, provider_id) as i,
           count(provider_id) over (partition by month) as n,
           sum(articles) filter (provider_id is not null) over (partition by month) as total
    from counted),
measured as (
    select
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
    group by month)
select
    month,
    articles,
    without_provider,
    of_articles,
    providers,
    hhi_points / 10000 as hhi,
    hhi_points,
    case
        when of_articles < 30 then null
        when hhi_points > 1800 then 'high'
        when hhi_points >= 1000 then 'moderate'
        else 'low'
    end as level,
    10000 / hhi_points as effective_providers,
    gini,
    cr4,
    top_provider,
    top_provider_share
from measured
order by month nulls last
