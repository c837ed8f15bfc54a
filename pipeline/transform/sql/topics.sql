-- One row per topic of articles or related items; an item that lists a topic twice counts once.
with mentions as (
    select distinct topic, article_id, 0 as position, published_at, true as is_article
    from article_topics join articles using (article_id) where topic is not null
    union all
    select distinct unnest(topics), article_id, position, published_at, false from related)
select topic, min(published_at) as first_seen_at, max(published_at) as last_seen_at,
       count(*) filter (is_article) as articles_count,
       count(*) filter (not is_article) as related_items_count
from mentions where topic is not null group by topic order by topic
