-- One row per article that has both heat and quality: what is hot beyond its quality, the hottest first.
--   age_hours: From publication to as_of of report_clock; null = time unknown, negative = published after that moment [hour]
--   heat: Heat score; the suppressed (heat -1) are not here
select
    article_id, title, url, provider, published_at,
    (epoch((select as_of from report_clock)) - epoch(published_at)) / 3600 as age_hours,
    is_published, quality, heat, heat_excess
from article_facts
where heat_excess is not null
order by heat_excess desc, heat desc, article_id
