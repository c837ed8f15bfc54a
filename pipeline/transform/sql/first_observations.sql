-- One row per article: its first sight, in a warehouse without observations.
select articles.article_id, 1::bigint as sequence, articles.source, articles.path,
       $revision as revision, $observed_at::timestamptz as observed_at,
       '{FIRST}' as change, null::varchar as moved_from, articles.quality,
       articles.heat, articles.published, articles.related_count, documents.content_hash,
       null::varchar as blob
from articles
join documents on documents.document_id = articles.article_id
where articles.source not in (from elsewhere)
order by articles.article_id
