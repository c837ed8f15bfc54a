-- One row per article with a related item that is scored: the best of them. The article's own URL is left out.
--   related_items: Related items listed, but for those with the article's own URL
--   related_scored: Denominator of related_better: those with a quality score
--   related_better: Those that score higher than the article; null where the article is unscored
--   best_position: Position of the one that scores highest; of equals the first
--   best_quality: Highest quality score among the related items
select
    article_id,
    count(*) as related_items,
    count(related.quality) as related_scored,
    case when any_value(articles.quality) is not null then count(*) filter (related.quality > articles.quality) end
        as related_better,
    arg_max(position, (related.quality, -position)) filter (related.quality is not null) as best_position,
    max(related.quality) as best_quality
from related
join articles using (article_id)
where coalesce(related.url <> articles.url, true)
group by article_id
having count(related.quality) > 0
order by article_id
