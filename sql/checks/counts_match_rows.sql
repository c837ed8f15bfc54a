-- One row per article whose counts of topics, related items or images differ from the rows of those tables.
select article_id, path, topics_count, related_count, images_count
from articles
left join (select article_id, count(*) as n from article_topics group by all) as t using (article_id)
left join (select article_id, count(*) as n from related group by all) as r using (article_id)
left join (select article_id, count(*) as n from images where owner = 'article' group by all) as i using (article_id)
where topics_count <> coalesce(t.n, 0) or related_count <> coalesce(r.n, 0) or images_count <> coalesce(i.n, 0)
