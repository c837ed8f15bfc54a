-- One row per article that is scored and has a related item that is: whether a better version was at hand.
--   margin: best_quality - quality; above 0 = a related item is better
--   best_title: Headline of that item; of equals the first listed
--   best_provider: Its outlet
--   best_url: Its canonical URL
--   best_is_ours: Whether that item is an article of ours too, by canonical URL
--   best_is_published: Whether the site shows that article of ours; null where the item is none of ours, or not selected
-- A better version was left out where is_published and margin > 0. On an article that is not shown, a better related item is
-- mostly the very version that was shown in its place.
select
    article_id, article_facts.title, article_facts.url, article_facts.provider,
    article_facts.published_at, article_facts.is_published, article_facts.quality, related_items,
    related_scored, related_better,
    try_cast(best_quality::hugeint - article_facts.quality as bigint) as margin,
    best_quality,
    related.title as best_title,
    coalesce(related.provider_name, related.provider_domain) as best_provider,
    related.url as best_url,
    matched_article_id is not null as best_is_ours,
    ours.is_published as best_is_published
from best_related
join article_facts using (article_id)
join related on related.article_id = best_related.article_id and related.position = best_position
left join related_matches on related_matches.article_id = best_related.article_id and related_matches.position = best_position
left join (select article_id as matched_article_id, is_published from article_facts) as ours using (matched_article_id)
where article_facts.quality is not null
order by article_facts.is_published desc, margin desc, article_id
