-- One row per related item whose canonical URL is that of one of our articles.
with ours as (
    select url, count(*) as candidates_count,
           arg_min(article_id, (
               coalesce(published_at, timestamptz '9999-01-01 00:00:00+00'), article_id
           )) as article_id
    from articles where url is not null group by url)
select related.article_id, related.position, ours.article_id as matched_article_id,
       ours.candidates_count
from related join ours using (url)
order by related.article_id, related.position
