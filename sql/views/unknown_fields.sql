-- One row per source and field that the front-matter contract does not know: how many articles have it.
--   field: Dotted path, list positions left out
--   articles: Articles that have it
--   of_articles: Denominator: all articles of the source
--   example: One value, as JSON
with fields as (
    select distinct on (article_id, field)
           source, article_id, regexp_replace(key, '\[[0-9]+\]', '[]', 'g') as field,
           json_extract(extra, '/' || replace(replace(key, '~', '~0'), '/', '~1')) as value
    from (select source, article_id, extra, unnest(json_keys(extra)) as key from articles where extra is not null))
select
    source,
    field,
    count(*) as articles,
    (select count(*) from articles where articles.source = fields.source) as of_articles,
    left(min(value::varchar), 200) as example
from fields
group by source, field
