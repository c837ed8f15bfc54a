-- One row per article that is published more than a day after its file was last written.
select articles.article_id, articles.path, articles.published_at, documents.modified_at
from articles
join documents on documents.document_id = articles.article_id
where articles.published_at > documents.modified_at + interval 1 day
order by articles.path
