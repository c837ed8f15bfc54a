-- One row per life of an article and stretch of time in which its scores stayed the same: the history that reports on heat read.
--   article_id: document_id of the article; where the file moved, the last one of this life
--   life: Ordinal of the life among those that ended or stand at this article_id, from 1: what comes back after its end begins a new one
--   stretch: Ordinal of the stretch in the life, from 1
--   path: Path of the file when the stretch began
--   revision: Commit or run that began the stretch
--   valid_from: When it began: time of the commit, or of the run that saw it [UTC]
--   valid_to: When the next one began or the life ended; null = still [UTC]
--   known_until: The end of what is known: time of the newest revision of the source [UTC]
--   until: valid_to, or known_until where it is null [UTC]
--   hours: From valid_from to valid_to, or to the end of what is known: the newest revision of the source [hour]
--   heat: Heat; null = suppressed or unscored
--   quality: Quality score; null = unscored
--   observations: Observations in the stretch, those of content alone and of moves too
--   ended: How the life ended: deleted, moved_away (to an unknown path) or replaced (by another file); null = it goes on
-- A stint is a file's time at one path: from a row `first`, `revived` or `moved` to one of `deleted` or `moved_away`. It goes on in
-- the stint that arrived from its path in the revision in which it left; a life is a chain of stints. So a path that is used again
-- tells its lives apart. Only the articles with such an event (eventful) take part in that: few of many.
-- The order is that of `sequence`. Where the time of a commit goes back, the latest time so far counts: nothing ends before it began.
with recursive
known as (
    select source, max(observed_at) as known_until
    from (select source, observed_at from revisions union all select source, observed_at from observations)
    group by source),
eventful as (
    select article_id
    from observations
    where change in ('deleted', 'moved_away', 'moved', 'revived') or (change = 'first' and sequence > 1)
    group by article_id),
begun as (
    select article_id, sequence, revision, moved_from,
           lead(sequence, 1, 9223372036854775807) over in_order as next_sequence, lead(observed_at) over in_order as next_at
    from observations
    where article_id in (from eventful) and (sequence = 1 or change in ('first', 'revived', 'moved'))
    window in_order as (partition by article_id order by sequence)),
stints as (
    select begun.article_id, begun.sequence, next_sequence, begun.revision, begun.moved_from, ends.revision as left_in,
           coalesce(ends.change, case when next_at is not null then 'replaced' end) as ended,
           coalesce(ends.observed_at, next_at) as ended_at
    from begun
    left join observations as ends on ends.article_id = begun.article_id and ends.change in ('deleted', 'moved_away')
                                  and ends.sequence >= begun.sequence and ends.sequence < next_sequence),
moves as (
    select old.article_id as old_id, old.sequence as old_sequence, new.article_id as new_id, new.sequence as new_sequence
    from stints as new
    join stints as old on old.article_id = new.moved_from and old.left_in = new.revision and old.ended = 'moved_away'
    qualify row_number() over (partition by old_id, old_sequence order by new_id, new_sequence) = 1),
chains as (
    select old_id as seen_as, old_sequence as sequence, new_id as last_id, new_sequence as last_sequence, 1 as moves_left
    from moves
    where (new_id, new_sequence) not in (select (old_id, old_sequence) from moves)
    union all
    select old_id, old_sequence, last_id, last_sequence, moves_left + 1
    from chains
    join moves on new_id = seen_as and new_sequence = sequence),
lives as (
    select article_id as last_id, sequence as last_sequence, ended, ended_at,
           row_number() over (partition by article_id order by sequence) as life
    from stints
    where (article_id, sequence) not in (select (old_id, old_sequence) from moves)),
placed as (
    select article_id as seen_as, stints.sequence, next_sequence, coalesce(moves_left, 0) as moves_left, lives.last_id as article_id,
           life, lives.ended, lives.ended_at
    from stints
    left join chains on chains.seen_as = article_id and chains.sequence = stints.sequence
    join lives on lives.last_id = coalesce(chains.last_id, article_id)
              and lives.last_sequence = coalesce(chains.last_sequence, stints.sequence)),
seen as (
    select coalesce(placed.article_id, observations.article_id) as article_id, coalesce(life, 1) as life,
           coalesce(moves_left, 0) as moves_left, observations.sequence, source, path, revision, observed_at, ended, ended_at, quality,
           case when heat >= -1 then heat end as heat, coalesce(published, false) as is_published
    from observations
    left join placed on seen_as = observations.article_id
                    and observations.sequence >= placed.sequence and observations.sequence < next_sequence
    where change not in ('deleted', 'moved_away')),
compared as (
    select article_id, life, source, path, revision, ended, ended_at, quality, heat, is_published,
           max(observed_at) over in_order as valid_from, row_number() over in_order as place,
           count(*) over (partition by article_id, life) as places,
           row_number() over in_order = 1 or heat is distinct from lag(heat) over in_order
               or quality is distinct from lag(quality) over in_order or is_published <> lag(is_published) over in_order as is_new
    from seen
    window in_order as (partition by article_id, life order by moves_left desc, sequence)),
stretches as (
    select article_id, life, source, path, revision, ended, quality, heat, is_published, valid_from,
           row_number() over in_order as stretch,
           lead(valid_from, 1, case when ended_at > valid_from then ended_at when ended_at is not null then valid_from end) over in_order
               as valid_to,
           lead(place, 1, places + 1) over in_order - place as observations
    from compared
    where is_new
    window in_order as (partition by article_id, life order by place))
select
    article_id, life, stretch, source, path, revision, valid_from, valid_to, known_until,
    coalesce(valid_to, known_until) as until,
    (epoch_us(coalesce(valid_to, known_until)) - epoch_us(valid_from)) / 3600e6::double as hours,
    case when heat >= 0 then heat end as heat,
    case when heat = -1 then 'suppressed' when heat is null then 'unscored' else 'scored' end as heat_state,
    quality,
    case when heat >= 0 then try_cast(heat::hugeint - quality as bigint) end as heat_excess,
    is_published,
    observations,
    ended
from stretches
join known using (source)
