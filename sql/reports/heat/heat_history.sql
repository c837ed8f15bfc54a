-- One row per life of an article and stretch of time in which its scores stayed the same: what it was worth when.
--   article_id: document_id of the article; where the file moved, the last one of this life
--   life: Ordinal of the life among those of this article_id, from 1: what comes back after its end begins a new one
--   stretch: Ordinal of the stretch in the life, from 1
--   title: Headline as it is now; null where the life has ended
--   source: Name of the source
--   path: Path of the file when the stretch began
--   valid_from: When it began: time of the commit, or of the run that saw it [UTC]
--   valid_to: When the next one began or the life ended; null = still [UTC]
--   hours: From valid_from to valid_to, or to the end of what is known: the newest revision of the source [hour]
--   heat: Heat; null = suppressed or unscored
--   heat_state: scored, suppressed (heat = -1) or unscored
--   quality: Quality score; null = unscored
--   heat_excess: heat - quality, where both are scored
--   is_published: Whether the site showed it
--   revision: Commit or run that began the stretch
--   observations: Observations in the stretch: the first one, and those of content alone or of moves, which begin none
--   ended: How the life ended: deleted, moved_away or replaced; null = it goes on
select
    stretches.article_id,
    life,
    stretch,
    title,
    stretches.source,
    path,
    valid_from,
    valid_to,
    hours,
    stretches.heat,
    stretches.heat_state,
    stretches.quality,
    stretches.heat_excess,
    stretches.is_published,
    revision,
    observations,
    ended
from score_stretches as stretches
left join article_facts on article_facts.article_id = stretches.article_id and ended is null
order by stretches.article_id, life, stretch
