-- One row per article that is published well after its file was last written.
--   threshold max_days_ahead = 1: Days that a publication time may lie after the file's modification time
select articles.article_id, articles.path, articles.published_at, documents.modified_at
from articles
join documents on documents.document_id = articles.article_id
where epoch(articles.published_at) - epoch(documents.modified_at) > 86400 * $max_days_ahead::double
order by articles.path
