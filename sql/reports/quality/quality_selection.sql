-- One row per provider and one for all: how often a related item scores better than the article that was chosen.
--   scope: (all), or the name of the outlet or its domain where it has no name; (none) = no provider given
--   articles: All articles
--   scored: Articles with a quality score
--   compared: Denominator of better_share: scored articles with a related item that is scored
--   better: Articles whose best related item scores higher
--   better_share: better / compared
--   published_compared: Denominator of published_better_share: those compared that the site shows
--   published_better: Of them, those whose best related item scores higher
--   published_better_share: published_better / published_compared
--   mean_margin: Mean over the compared of best related quality - own quality
--   median_margin: Median of the same
-- Read published_better_share first: better_share counts also the articles that were passed over for a better version.
with facts as (
    select provider_id, coalesce(provider, '(none)') as provider, domain, quality, is_published, day,
           try_cast(best_quality::hugeint - quality as bigint) as margin
    from article_facts
    left join best_related using (article_id)
    left join (select provider_id, domain from providers) as outlets using (provider_id))
select
    case when grouping(provider) = 1 then '(all)' else provider end as scope,
    domain,
    count(*) as articles,
    count(quality) as scored,
    count(margin) as compared,
    count(*) filter (margin > 0) as better,
    count(*) filter (margin > 0) / nullif(count(margin), 0)::double as better_share,
    count(margin) filter (is_published) as published_compared,
    count(*) filter (is_published and margin > 0) as published_better,
    count(*) filter (is_published and margin > 0) / nullif(count(margin) filter (is_published), 0)::double
        as published_better_share,
    avg(margin) as mean_margin,
    median(margin) as median_margin,
    min(day) as first_day,
    max(day) as last_day
from facts
group by grouping sets ((), (provider_id, provider, domain))
order by grouping(provider) desc, articles desc, scope, domain
