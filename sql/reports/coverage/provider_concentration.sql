-- One row per topic and month: how far its articles come from few providers. A provider is a pair of name and domain (providers).
-- With few articles every measure is high by necessity (n articles cannot give an HHI below 1 / n): read it beside `articles`.
--   topic: Topic as given
--   month: First day of the month of publication (UTC); null where the time is unknown
--   articles: Articles of the topic in that month
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
select
    topic,
    month,
    articles,
    without_provider,
    of_articles,
    providers,
    hhi,
    hhi_points,
    level,
    effective_providers,
    gini,
    cr4,
    top_provider,
    top_provider_share
from concentration_groups
where dimension = 'topic_month'
order by topic, month nulls last
