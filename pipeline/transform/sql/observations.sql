-- One row per article that changed, came back, moved or ended since its last observation.
with last as (
    select article_id, max(sequence) as sequence, max_by(source, sequence) as source,
           max_by(path, sequence) as path,
           max_by(change, sequence) in ({ends}) as is_over,
           arg_max(row(quality, heat, published), sequence) as scores,
           arg_max(row(content_hash), sequence) as content
    from observations group by article_id),
compared as (
    select articles.article_id, articles.source, articles.path, moved_from,
           articles.quality, articles.heat, articles.published, articles.related_count,
           documents.content_hash,
           last.scores is distinct from
           row(articles.quality, articles.heat, articles.published) as scores_differ,
           edited.article_id is not null
           and last.content is distinct from row(documents.content_hash) as content_differs,
           last.article_id is not null as is_known,
           {change} as change
    from articles
    join documents on documents.document_id = articles.article_id
    left join last using (article_id)
    left join moves on moved_to = articles.article_id
    left join edited using (article_id)
    where articles.source not in (from elsewhere)),
added as (
    select article_id, 1 as ordinal, source, path, change, moved_from, quality, heat,
           published, related_count, content_hash
    from compared
    where change is not null
    union all
    select article_id, 0, source, path,
           case when left_to.moved_to is not null then '{MOVED_AWAY}'
                else '{DELETED}' end,
           null, null, null, null, null, null
    from last
    left join moves as left_to on left_to.moved_from = last.article_id
    where not is_over
    and (left_to.moved_to is not null or article_id in (from ended)))
select article_id,
       coalesce(last.sequence, 0)
       + row_number() over (partition by article_id order by ordinal) as sequence,
       added.source, added.path, $revision as revision,
       $observed_at::timestamptz as observed_at, change, moved_from, quality, heat,
       published, related_count, content_hash, null::varchar as blob
from added
left join last using (article_id)
order by article_id, sequence
