-- One row per source and collection: how fresh its articles and files are at the moment up to which reports look.
--   files: Files seen, of any kind
--   articles: Articles among them
--   newest_article_at: Latest publication time that is not after as_of; null where no article has one [UTC]
--   article_age_hours: as_of - newest_article_at [hour]
--   newest_file_at: Latest modification time of a file that is not after as_of [UTC]
--   file_age_hours: as_of - newest_file_at [hour]
--   articles_24h: Articles published in the 24 hours before as_of
--   articles_7d: Articles published in the 7 days before as_of
--   articles_ahead: Articles published after as_of; they count for nothing else here but articles
--   articles_undated: Articles without a publication time
with dated as (
    select
        source, collection, status, as_of, published_at,
        case when published_at <= as_of then published_at end as past_at,
        case when documents.modified_at <= as_of then documents.modified_at end as written_at
    from documents
    left join (select article_id, published_at from articles) as moments on moments.article_id = documents.document_id
    cross join report_clock)
select
    source,
    collection,
    count(*) as files,
    count(*) filter (status = 'article') as articles,
    any_value(as_of) as as_of,
    max(past_at) as newest_article_at,
    (epoch(any_value(as_of)) - epoch(max(past_at))) / 3600 as article_age_hours,
    max(written_at) as newest_file_at,
    (epoch(any_value(as_of)) - epoch(max(written_at))) / 3600 as file_age_hours,
    count(*) filter (past_at > as_of - interval 24 hours) as articles_24h,
    count(*) filter (past_at > as_of - interval 168 hours) as articles_7d,
    count(*) filter (published_at > as_of) as articles_ahead,
    count(*) filter (status = 'article' and published_at is null) as articles_undated
from dated
group by source, collection
order by source, collection nulls first
