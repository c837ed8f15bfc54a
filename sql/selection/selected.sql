-- One row per article that all filters of a report select; an empty list and a null select every one.
with wanted as (
    select [lower(text) for text in $topics::varchar[]] as topics,
           [lower(text) for text in $providers::varchar[]] as providers,
           [lower(text) for text in $collections::varchar[]] as collections)
select article_id from articles cross join wanted
where ($since::date is null or (published_at at time zone 'UTC')::date >= $since)
  and ($until::date is null or (published_at at time zone 'UTC')::date <= $until)
  and (topics = [] or article_id in
       (select article_id from article_topics where list_contains(topics, lower(topic))))
  and (providers = [] or list_contains(providers, lower(provider_name))
       or list_contains(providers, lower(provider_domain)))
  and (collections = [] or list_contains(collections, lower(collection)))
