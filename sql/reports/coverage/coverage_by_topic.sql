-- One row per topic: its share of attention, and from how many outlets it comes.
--   articles: Articles of the topic
--   of_articles: Denominator: all articles
--   attention_share: articles / of_articles; an article with two topics counts for both
--   fractional_share: The same with each article counted once, split over its topics
--   published: Articles of the topic that the site shows
--   top_provider: Provider with the most articles of the topic
--   top_provider_share: Its share of the topic's articles
--   without_provider: Articles of the topic that name no provider
--   effective_providers: 1 / sum of squared provider shares (1 / HHI), over the articles with a provider
with counted as (
    select topic, provider_id, any_value(provider) as provider, count(*) as articles, sum(weight order by weight) as weight,
           count(*) filter (is_published) as published, min(day) as first_day, max(day) as last_day
    from topic_facts
    join article_facts using (article_id)
    group by topic, provider_id)
select
    topic,
    sum(articles)::bigint as articles,
    (select count(*) from articles) as of_articles,
    sum(articles) / (select count(*) from articles)::double as attention_share,
    sum(weight order by weight) / (select count(*) from articles)::double as fractional_share,
    sum(published)::bigint as published,
    count(provider_id) as providers,
    arg_max(provider, (articles, provider)) filter (provider is not null) as top_provider,
    max(articles) filter (provider is not null) / sum(articles)::double as top_provider_share,
    min(first_day) as first_day,
    max(last_day) as last_day,
    coalesce(sum(articles) filter (provider_id is null), 0)::bigint as without_provider,
    (sum(articles) filter (provider_id is not null)) ** 2
        / sum(articles * articles) filter (provider_id is not null)::double as effective_providers
from counted
group by topic
order by articles desc, topic
