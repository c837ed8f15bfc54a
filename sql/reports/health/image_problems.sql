-- One row per image that wants a look, of an article, a related item or their providers.
--   source: Name of the source
--   path: Path of the article's file inside the source
--   article_id: document_id of the article
--   title: Headline of the article, or of the related item
--   owner: Whose image: article, provider, related or related_provider
--   field: Where it stands in the front matter, lists from 0 (items left out do not count)
--   problems: What is wrong: no_url, no_size, tiny, odd_aspect, relative (and not cached), http, not_cached; see image_health
--   url: Where the picture lies, as given
--   width_px: Width as given [pixel]
--   height_px: Height as given [pixel]
select
    articles.source,
    articles.path,
    article_id,
    case when owner_position = 0 then articles.title else related.title end as title,
    owner,
    case owner when 'provider' then 'provider.'
        when 'related' then 'related[' || (owner_position - 1) || '].'
        when 'related_provider' then 'related[' || (owner_position - 1) || '].provider.'
        else '' end || 'images[' || (image_facts.position - 1) || ']' as field,
    problems,
    image_facts.url,
    width_px,
    height_px
from image_facts
join articles using (article_id)
left join related on related.article_id = image_facts.article_id and related.position = owner_position
where problems <> ''
order by articles.source, articles.path, owner, owner_position, image_facts.position
