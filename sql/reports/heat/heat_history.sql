-- One row per life of an article and stretch of time in which its scores stayed the same: what it was worth when.
--   article_id: document_id of the article; where the file moved, the last one of this life
--   title: Headline as it is now; null where the life has ended
--   heat: Heat; null = suppressed or unscored
select
    stretches.article_id, life, stretch, title, stretches.source, path, valid_from, valid_to, hours,
    stretches.heat, stretches.heat_state, stretches.quality, stretches.heat_excess,
    stretches.is_published, revision, observations, ended
from score_stretches as stretches
left join article_facts on article_facts.article_id = stretches.article_id and ended is null
order by stretches.article_id, life, stretch
