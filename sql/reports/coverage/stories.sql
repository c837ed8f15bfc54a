-- One row per story of at least two URLs: who had it first, how many followed, and how fast.
--   headline: Title of the member with the highest quality score; of equals, or where none has one, the earliest published
--   members: Distinct URLs of the story, ours and related ones
--   our_members: Those that are our articles
--   shown_members: Those of ours that the site shows
--   providers: Distinct providers of the members
--   without_provider: Members that name no provider, so they count for none
--   first_published_at: First publication of the earliest member; null where no member says when [UTC]
--   last_published_at: First publication of the latest member [UTC]
--   span_hours: Hours from first_published_at to last_published_at
--   first_provider: Outlet of the earliest member; of equal times, of the one with the least URL
--   first_title: Its title
--   first_url: Its URL
--   timed: Members whose time of publication is known; the span is over these
--   followers: Denominator of the lag: members with a known time after the earliest one (timed - 1)
--   median_lag_hours: Median hours that the followers came after the earliest member; null without followers
--   scored: Members with a quality score
--   best_quality: Highest quality score over the scored
with placed as (
    select
        story_id, member_id, kind, url, title, provider_id, provider, published_at, quality, is_published,
        row_number() over (partition by story_id order by published_at nulls last, member_id) as place,
        epoch_us(published_at) - epoch_us(min(published_at) over (partition by story_id)) as lag_us
    from story_members)
select
    story_id,
    arg_max(title, (quality is not null, coalesce(quality, 0), -place)) as headline,
    count(*) as members,
    count(*) filter (kind = 'article') as our_members,
    count(*) filter (is_published) as shown_members,
    count(distinct provider_id) as providers,
    count(*) filter (provider_id is null) as without_provider,
    min(published_at) as first_published_at,
    max(published_at) as last_published_at,
    max(lag_us) / 3600000000::double as span_hours,
    max(provider) filter (place = 1 and published_at is not null) as first_provider,
    max(title) filter (place = 1 and published_at is not null) as first_title,
    max(url) filter (place = 1 and published_at is not null) as first_url,
    count(published_at) as timed,
    greatest(count(published_at) - 1, 0)::bigint as followers,
    median(lag_us) filter (place > 1) / 3600000000::double as median_lag_hours,
    count(quality) as scored,
    max(quality) as best_quality
from placed
group by story_id
order by members desc, first_published_at desc nulls last, story_id
