-- One row per article or document of status article that lacks the other one.
select coalesce(documents.document_id, articles.article_id) as document_id, coalesce(documents.path, articles.path) as path
from (select * from documents where status = 'article') as documents
full join articles on articles.article_id = documents.document_id
where documents.document_id is null or articles.article_id is null
