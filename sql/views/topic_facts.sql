-- One row per article and distinct topic: for counting by topic; null topics are left out.
--   topic: Topic as given
--   weight: 1 / distinct topics of the article, so that an article's weights sum to 1 (fractional counting)
with pairs as (select distinct article_id, topic_id, topic from article_topics where topic is not null)
select article_id, topic_id, topic, 1.0::double / count(*) over (partition by article_id) as weight
from pairs
