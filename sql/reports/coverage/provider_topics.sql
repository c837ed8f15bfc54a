-- One row per provider and topic that have an article together: what each provider writes about, and who makes up a topic.
-- A provider without any article of a topic has no row for it.
--   provider: Name of the outlet, or its domain where it has no name; null = articles without provider, one row per topic
--   articles: Articles of the provider with the topic
--   of_provider: Denominator: all articles of the provider, with and without topics
--   of_topic: Denominator: all articles of the topic, with and without provider
--   of_articles: All articles
--   share_of_provider: articles / of_provider; with several topics in an article they sum to more than 1
--   share_of_topic: articles / of_topic; they sum to 1 over the topic's rows
--   location_quotient: share_of_provider / (of_topic / of_articles): 1 = the topic's usual share (Florence 1939)
--   location_quotient_low: Lower end of its 95 % interval: Wilson's (1927) for share_of_provider, the topic's share taken as known
--   location_quotient_high: Upper end of that interval
--   representation: over (the interval lies above 1), under (below 1) or usual; null where of_provider is below 10, too few to tell
with by_provider as (select provider_id, count(*) as articles from article_facts group by provider_id),
by_topic as (select topic, count(*) as articles from topic_facts group by topic),
cells as (
    select provider_id, any_value(provider) as provider, topic, count(*) as articles, min(day) as first_day, max(day) as last_day
    from topic_facts
    join article_facts using (article_id)
    group by provider_id, topic),
shares as (
    select
        coalesce(providers.name, providers.domain, cells.provider) as provider,
        providers.domain, cells.provider_id, topic, cells.articles,
        by_provider.articles as of_provider,
        by_topic.articles as of_topic,
        (select count(*) from articles) as of_articles,
        by_topic.articles / (select count(*) from articles)::double as usual_share,
        1.959964::double as z,
        first_day,
        last_day
    from cells
    join by_topic using (topic)
    join by_provider on by_provider.provider_id is not distinct from cells.provider_id
    left join providers on providers.provider_id = cells.provider_id),
quotients as (
    select
        provider, domain, provider_id, topic, articles, of_provider, of_topic, of_articles,
        articles / of_provider::double as share_of_provider,
        articles / of_topic::double as share_of_topic,
        articles / of_provider::double / usual_share as location_quotient,
        (articles + z * z / 2 - z * sqrt(articles * (1 - articles / of_provider::double) + z * z / 4))
            / (of_provider + z * z) / usual_share as location_quotient_low,
        (articles + z * z / 2 + z * sqrt(articles * (1 - articles / of_provider::double) + z * z / 4))
            / (of_provider + z * z) / usual_share as location_quotient_high,
        first_day,
        last_day
    from shares)
select
    provider, domain, topic, articles, of_provider, of_topic, of_articles, share_of_provider,
    share_of_topic, location_quotient, location_quotient_low, location_quotient_high, case
        when of_provider < 10 then null
        when location_quotient_low > 1 then 'over'
        when location_quotient_high < 1 then 'under'
        else 'usual'
    end as representation,
    first_day,
    last_day
from quotients
order by of_provider desc, provider nulls last, domain nulls last, provider_id, articles desc, topic
