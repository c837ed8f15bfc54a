-- One row per rejection or document of status rejected that lacks the other one.
select coalesce(documents.document_id, rejections.document_id) as document_id, coalesce(documents.path, rejections.path) as path
from (select * from documents where status = 'rejected') as documents
full join rejections on rejections.document_id = documents.document_id
where documents.document_id is null or rejections.document_id is null
