-- One row per provider or topic that is mentioned and missing in its dimension.
select 'providers' as dimension, provider_id as id
from (select provider_id from articles union select provider_id from related)
where provider_id is not null and provider_id not in (select provider_id from providers)
union all
select 'topics', topic_id
from (select distinct topic_id from article_topics)
where topic_id is not null and topic_id not in (select topic_id from topics)
