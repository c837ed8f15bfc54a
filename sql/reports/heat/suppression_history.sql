-- One row per spell of suppression: from when to when an article's heat was -1, and what it was before and after.
--   article_id: document_id of the article; where the file moved, the last one of this life
--   title: Headline as it is now; null where the life has ended
--   path: Path of the file when the spell began
--   suppressed_from: When heat became -1, or was first seen as such [UTC]
--   suppressed_to: When it was no longer so, or the life ended; null = still [UTC]
--   hours: From suppressed_from to suppressed_to, or to the end of what is known: the newest revision of the source [hour]
--   heat_before: Heat just before; null = unscored, or suppressed when first seen
--   heat_after: Heat just after; null = still, unscored, or ended
--   ended_as: What came after: scored, unscored, or how the life ended (deleted, moved_away, replaced); null = still suppressed
--   of_lives: Denominator: lives whose heat was ever scored or suppressed
-- Stretches of suppression that follow each other (quality or published changed between them) are one spell: their ordinals rise
-- with their row numbers.
with history as materialized (
    select article_id, life, stretch, path, valid_from, valid_to, until, heat, heat_state, ended
    from score_stretches),
suppressed as (
    select article_id, life, stretch, path, valid_from, valid_to, until, ended,
           stretch - row_number() over (partition by article_id, life order by stretch) as spell
    from history
    where heat_state = 'suppressed'),
spells as (
    select article_id, life, min(stretch) as first, max(stretch) as last, arg_min(path, stretch) as path, min(valid_from) as valid_from,
           case when count(*) = count(valid_to) then max(valid_to) end as valid_to, max(until) as until, any_value(ended) as ended
    from suppressed
    group by article_id, life, spell)
select
    spells.article_id, spells.life, title, url, provider, spells.path,
    spells.valid_from as suppressed_from,
    spells.valid_to as suppressed_to,
    (epoch_us(spells.until) - epoch_us(spells.valid_from)) / 3600e6::double as hours,
    before.heat as heat_before,
    later.heat as heat_after,
    case when spells.valid_to is null then null
         else coalesce(later.heat_state, spells.ended) end as ended_as,
    (select count(*) from (select distinct article_id, life from history where heat_state <> 'unscored')) as of_lives
from spells
left join history as before on before.article_id = spells.article_id and before.life = spells.life and before.stretch = first - 1
left join history as later on later.article_id = spells.article_id and later.life = spells.life and later.stretch = last + 1
left join article_facts on article_facts.article_id = spells.article_id and spells.ended is null
order by suppressed_from desc, spells.article_id
