-- One row per image to review, of an article, a related item or their providers.
--   title: Headline of the article, or of the related item
--   field: Where it stands in the front matter, lists from 0 (items left out do not count)
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
    problems, image_facts.url, width_px, height_px
from image_facts
join articles using (article_id)
left join related on related.article_id = image_facts.article_id and related.position = owner_position
where problems <> ''
order by articles.source, articles.path, owner, owner_position, image_facts.position
