-- One row per member of a story of at least two URLs: its place in the order of time, and how long after the first it came.
--   place: Position in order of first publication, from 1; of equal times by URL; members without a time come last
--   members: Distinct URLs of the story
--   timed: Denominator of the lag: members whose time of publication is known
--   lag_hours: Hours after the story's first publication; 0 for the first, null where the time is unknown
--   article_id: Our article with that URL; null where it is not ours
select
    story_id,
    row_number() over story as place,
    count(*) over (partition by story_id) as members,
    count(published_at) over (partition by story_id) as timed,
    kind, provider, title, published_at,
    (epoch_us(published_at) - epoch_us(min(published_at) over (partition by story_id))) / 3600000000::double as lag_hours,
    quality,
    url,
    article_id
from story_members
window story as (partition by story_id order by published_at nulls last, member_id)
order by max(published_at) over (partition by story_id) desc nulls last, story_id, place
