-- One row per article whose heat or quality has changed: its last change.
--   article_id: document_id of the article
--   title: Headline
--   url: Canonical URL
--   provider: Name of the outlet, or its domain where it has no name
--   published_at: When the outlet published it [UTC]
--   is_published: Whether the site shows it
--   heat_state: State of heat after the change: scored, suppressed (heat = -1) or unscored
--   previous_heat_state: State before the change
--   heat: Heat after the change; null = suppressed or unscored
--   previous_heat: Heat before the change
--   heat_delta: heat - previous_heat; null unless both are scored
--   quality: Quality after the change; null = unscored
--   previous_quality: Quality before the change
--   quality_delta: quality - previous_quality; null unless both are scored
--   changed_at: Start of the run that saw the change [UTC]
--   previous_at: Start of the run that first saw the values before it [UTC]
--   hours_between: From previous_at to changed_at [hour]
--   changes: Changes of heat or quality on record, this one included
--   observations: Denominator of changes: observations on record, of the file's earlier paths too
-- Where the file moved, its history at the old path counts (moved_from); a stint is its time at one path. What was seen at a path
-- before this file came there is another article's.
with recursive moves as (
    select article_id, moved_from, observed_at as since,
           lead(observed_at) over (partition by article_id order by observed_at, revision) as until
    from observations
    where moved_from is not null),
stints as (
    select articles.article_id, articles.article_id as seen_as, moves.moved_from, moves.since, null::timestamptz as until
    from articles
    left join moves on moves.article_id = articles.article_id and moves.until is null
    union all
    select stints.article_id, stints.moved_from, moves.moved_from, moves.since, stints.since
    from stints
    left join moves on moves.article_id = stints.moved_from and moves.since < stints.since
                   and coalesce(moves.until >= stints.since, true)
    where stints.moved_from is not null),
seen as (
    select stints.article_id, observed_at, revision, quality,
           case when heat = -1 then 'suppressed' when heat is null or heat < -1 then 'unscored' else 'scored' end as heat_state,
           case when heat >= 0 then heat end as heat
    from stints
    join observations on observations.article_id = stints.seen_as
    where coalesce(observed_at >= since, true) and coalesce(observed_at < until, true)),
compared as (
    select article_id, observed_at, revision, quality, heat_state, heat,
           row_number() over in_time = 1 or heat_state is distinct from lag(heat_state) over in_time
               or heat is distinct from lag(heat) over in_time or quality is distinct from lag(quality) over in_time as is_new,
           count(*) over (partition by article_id) as observations
    from seen
    window in_time as (partition by article_id order by observed_at, revision)),
changed as (
    select article_id, observed_at, quality, heat_state, heat, observations,
           lag(observed_at) over in_time as previous_at, lag(quality) over in_time as previous_quality,
           lag(heat_state) over in_time as previous_heat_state, lag(heat) over in_time as previous_heat,
           row_number() over in_time - 1 as changes, lead(observed_at) over in_time is null as is_last
    from compared
    where is_new
    window in_time as (partition by article_id order by observed_at, revision))
select
    article_id,
    title,
    url,
    provider,
    published_at,
    is_published,
    changed.heat_state,
    previous_heat_state,
    changed.heat,
    previous_heat,
    try_cast(changed.heat::hugeint - previous_heat as bigint) as heat_delta,
    changed.quality,
    previous_quality,
    try_cast(changed.quality::hugeint - previous_quality as bigint) as quality_delta,
    observed_at as changed_at,
    previous_at,
    (epoch(observed_at) - epoch(previous_at)) / 3600 as hours_between,
    changes,
    observations
from changed
join article_facts using (article_id)
where is_last and changes > 0
order by changed_at desc, heat_delta desc nulls last, quality_delta desc nulls last, article_id
