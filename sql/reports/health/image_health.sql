-- One row per owner of images: how many owners have none, and how many images are to be reviewed; always all four owners.
--   owners: Denominator of missing: articles, articles with a provider, related items, related items with a provider
--   missing: Owners without an image in the file (without logos of sidecars)
--   missing_share: missing / owners
--   images: Denominator of the rest: images listed
--   without_url: Images without an address
--   without_size: Images whose width or height is missing or not positive
--   tiny: Images whose shorter side is below 100 pixels; logos (provider, related_provider) below 32
--   odd_aspect: Pictures more than three times as wide as high or the reverse; logos are not judged
--   relative: Images whose address has no scheme
--   http: Images whose address is not encrypted
--   not_cached: Images of which the file says that the site holds no copy
--   cache_unknown: Images of which the file does not say it
--   without_title: Images without a caption
--   without_attribution: Images without a credit
--   with_problems: Images that image_problems lists
--   with_problems_share: with_problems / images
with logos as (
    select distinct article_id, owner, owner_position, true as is_there
    from images
    where owner in ('provider', 'related_provider')),
owners as (
    select 'article' as owner, count(*) as owners, count(*) filter (images_count = 0) as missing
    from articles
    union all
    select 'provider', count(*), count(*) filter (is_there is null)
    from articles
    left join (select article_id, is_there from logos where owner = 'provider') as own using (article_id)
    where provider_id is not null
    union all
    select 'related', count(*), count(*) filter (images_count = 0)
    from related
    union all
    select 'related_provider', count(*), count(*) filter (is_there is null)
    from related
    left join (select article_id, owner_position as position, is_there from logos where owner = 'related_provider') as theirs
        using (article_id, position)
    where provider_id is not null),
counted as (
    select
        owner,
        count(*) as images,
        count(*) filter (no_url) as without_url,
        count(*) filter (no_size) as without_size,
        count(*) filter (is_tiny) as tiny,
        count(*) filter (is_odd) as odd_aspect,
        count(*) filter (is_relative) as relative,
        count(*) filter (is_http) as http,
        count(*) filter (not is_cached) as not_cached,
        count(*) filter (is_cached is null) as cache_unknown,
        count(*) filter (title is null) as without_title,
        count(*) filter (attribution is null) as without_attribution,
        count(*) filter (problems <> '') as with_problems
    from image_facts
    group by owner)
select
    owner,
    owners,
    missing,
    missing / nullif(owners, 0)::double as missing_share,
    coalesce(images, 0) as images,
    coalesce(without_url, 0) as without_url,
    coalesce(without_size, 0) as without_size,
    coalesce(tiny, 0) as tiny,
    coalesce(odd_aspect, 0) as odd_aspect,
    coalesce(relative, 0) as relative,
    coalesce(http, 0) as http,
    coalesce(not_cached, 0) as not_cached,
    coalesce(cache_unknown, 0) as cache_unknown,
    coalesce(without_title, 0) as without_title,
    coalesce(without_attribution, 0) as without_attribution,
    coalesce(with_problems, 0) as with_problems,
    with_problems / nullif(images, 0)::double as with_problems_share
from owners
left join counted using (owner)
order by owner
