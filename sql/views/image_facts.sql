-- One row per image: its size and address judged.
--   no_url: Whether it has no address
--   no_size: Whether width or height is missing or not positive
--   is_tiny: Whether the shorter side is below 100 pixels; for logos (owner provider, related_provider) below 32
--   is_odd: Whether a picture is more than three times as wide as high or the reverse; logos are not judged
--   is_relative: Whether the address has no scheme: it lies on the site itself
--   is_http: Whether the address is not encrypted
--   is_cached: Whether the site holds a copy of its own; null where the file does not say so
--   problems: Those of no_url, no_size, tiny, odd_aspect, relative (of an image not cached), http, not_cached; empty = none
with judged as (
    select
        article_id, owner, owner_position, position, url, width_px, height_px,
        coalesce(trim(url), '') = '' as no_url,
        coalesce(width_px <= 0 or height_px <= 0, true) as no_size,
        coalesce(least(width_px, height_px) > 0
            and least(width_px, height_px) < case when ends_with(owner, 'provider') then 32 else 100 end, false) as is_tiny,
        coalesce(owner in ('article', 'related') and width_px > 0 and height_px > 0
            and greatest(width_px, height_px) > 3::hugeint * least(width_px, height_px), false) as is_odd,
        coalesce(trim(url) <> '' and not regexp_matches(url, '(?i)^\s*(?:[a-z][a-z0-9+.-]*:|//)'), false) as is_relative,
        coalesce(regexp_matches(url, '(?i)^\s*http://'), false) as is_http,
        is_cached,
        title,
        attribution
    from images)
select
    article_id, owner, owner_position, position, url, width_px, height_px, no_url, no_size, is_tiny,
    is_odd, is_relative, is_http, is_cached, title, attribution,
    concat_ws(', ',
        case when no_url then 'no_url' end,
        case when no_size then 'no_size' end,
        case when is_tiny then 'tiny' end,
        case when is_odd then 'odd_aspect' end,
        case when is_relative and is_cached is not true then 'relative' end,
        case when is_http then 'http' end,
        case when not is_cached then 'not_cached' end) as problems
from judged
