-- One row per article or related item, URL and rule that the URL breaks: addresses to review.
--   title: Headline of the article, or of the related item
--   provider: Name of the outlet of the article or item, or its domain where it has no name
--   field: Where it stands in the front matter, lists from 0 (items left out do not count); url = the canonical URL
--   url: Address as given, or the canonical URL; null where none is given
select
    rule, articles.source, articles.path, article_id,
    case when position = 0 then articles.title else related.title end as title,
    coalesce(providers.name, providers.domain) as provider,
    case when position = 0 then coalesce(field, 'url')
        else 'related[' || (position - 1) || '].' || coalesce(field, 'url') end as field,
    url_defects.url,
    detail
from url_defects
join articles using (article_id)
left join related using (article_id, position)
left join providers on providers.provider_id = url_defects.provider_id
order by rule, articles.source, articles.path, position, field, url_defects.url
