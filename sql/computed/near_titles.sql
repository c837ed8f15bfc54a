-- One row per pair of articles of different URLs whose titles are nearly the same, found by RapidFuzz.
--   score: How alike the titles are: 100 = the same words in another order [of 100]
--   hours_apart: Time from the earlier to the later publication [hour]
--   same_provider: Whether one provider has both; null where one of them names no provider
--   title: Headline of the earlier article
--   other_title: Headline of the later article
--   provider: Outlet of the earlier article: name, or domain where it has no name
--   other_provider: Outlet of the later article: name, or domain where it has no name
--   published_at: When the earlier article was published [UTC]
--   other_published_at: When the later article was published [UTC]
--   url: Canonical URL of the earlier article; null where it has none
--   other_url: Canonical URL of the later article; null where it has none
--   article_id: document_id of the earlier article
--   other_article_id: document_id of the later article
-- title_pairs is made by pipeline/report/near_titles.py.
select
    score,
    (epoch_us(later.published_at) - epoch_us(earlier.published_at)) / 3600e6::double as hours_apart,
    earlier.provider_id = later.provider_id as same_provider,
    earlier.title,
    later.title as other_title,
    earlier.provider,
    later.provider as other_provider,
    earlier.published_at,
    later.published_at as other_published_at,
    earlier.url,
    later.url as other_url,
    earlier.article_id,
    later.article_id as other_article_id
from title_pairs
join article_facts as earlier on earlier.article_id = title_pairs.article_id
join article_facts as later on later.article_id = other_article_id
order by rank
