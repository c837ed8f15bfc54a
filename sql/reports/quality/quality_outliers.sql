-- One row per article whose quality is far from what its provider usually scores.
--   scored: Articles of the provider with a quality score
--   median_quality: Median over them
--   mad_quality: Median over them of the absolute distance from that median (MAD)
--   modified_z: 0.6745 * (quality - median) / MAD; the row is here as it is above 3.5 or below -3.5 (Iglewicz & Hoaglin 1993)
-- Only providers with 10 scored or more, and with a MAD above 0: more than half of the scores equal make it 0.
with usual as (
    select provider_id, count(*) as scored, median(quality) as median_quality, mad(quality) as mad_quality
    from article_facts
    where quality is not null and provider_id is not null
    group by provider_id
    having count(*) >= 10)
select
    article_id, title, url, provider, domain, published_at, is_published, quality, scored,
    median_quality, mad_quality,
    0.6745::double * (quality - median_quality) / mad_quality as modified_z
from article_facts
join usual using (provider_id)
join providers using (provider_id)
where mad_quality > 0 and abs(0.6745::double * (quality - median_quality) / mad_quality) > 3.5
order by abs(modified_z) desc, article_id
