-- One row per topic and month: how far its articles come from few providers. A provider is a pair of name and domain (providers).
-- With few articles every measure is high by necessity (n articles cannot give an HHI below 1 / n): read it beside `articles`.
select
    topic, month, articles, without_provider, of_articles, providers, hhi, hhi_points, level,
    effective_providers, gini, cr4, top_provider, top_provider_share
from concentration_groups
where dimension = 'topic_month'
order by topic, month nulls last
