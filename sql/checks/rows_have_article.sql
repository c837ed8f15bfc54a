-- One row per row of a child table whose article does not exist.
select child, article_id
from (
    select 'article_topics' as child, article_id from article_topics
    union all select 'related', article_id from related
    union all select 'related_matches', article_id from related_matches
    union all select 'related_matches.matched', matched_article_id from related_matches
    union all select 'images', article_id from images
    union all select 'bodies', article_id from bodies)
anti join articles using (article_id)
