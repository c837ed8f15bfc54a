-- One row per level, field of the front-matter contract and month: how many have it, and what was wrong with the rest.
--   level: article, or related for the fields of related items
--   field: Name in the front matter; of a related item the name inside the item
--   month: First day of the article's month of publication (UTC), also for its related items; null where the time is unknown
--   items: Denominator: articles of the month, or the related items that they list
--   present: Items that have a value; a list needs an item, topics one that is not null
--   missing: items - present: absent, null or set to null; the tables cannot tell absent from null
--   present_share: present / items
--   empty: Part of missing: set to null because the file has an empty text
--   invalid: Part of missing: set to null because the value cannot be used, by findings (invalid_date, wrong_type, ...)
--   repaired: Part of present: by findings (mojibake, ...) but unquoted_colon and duplicate_key, which name no whole path
with marks as (
    select
        article_id,
        month,
        regexp_extract(field, '^related(\[\d+\])?\.', 0) as item,
        unnest(case regexp_replace(field, '^related(\[\d+\])?\.', '')
            when 'provider' then ['provider.name', 'provider.domain']
            when 'author.name' then ['author']
            else [regexp_replace(regexp_replace(field, '^related(\[\d+\])?\.', ''), '^topics\[\d+\]$', 'topics')] end) as field,
        action = 'set to null' and (rule = 'empty_string' or value is not distinct from '') as is_empty,
        action = 'set to null' as is_null,
        action = 'decoded again' or starts_with(action, 'read as ') and rule <> 'unquoted_colon' as is_repair,
        ends_with(field, ']') as is_element
    from findings
    join article_facts using (article_id)),
defects as (
    select
        article_id,
        any_value(month) as month,
        item,
        field,
        bool_or(is_empty) as is_empty,
        bool_or(is_null) as is_null,
        bool_or(is_null and not is_element) as is_null_whole,
        bool_or(is_repair) as is_repaired
    from marks
    where is_null or is_repair
    group by article_id, item, field),
article_fields as (
    select
        article_id,
        (date_trunc('month', published_at at time zone 'UTC'))::date as month,
        unnest(['title', 'excerpt', 'publishedDateTime', 'updatedDateTime', 'originalUrl', 'webUrl', 'ampWebUrl', 'cdnAmpWebUrl',
            'type', 'category', 'quality', 'heat', 'published', 'length', 'provider.name', 'provider.domain', 'author', 'topics',
            'related', 'images', 'secured']) as field,
        unnest([title is not null, excerpt is not null, published_at is not null, updated_at is not null, original_url is not null,
            web_url is not null, amp_url is not null, cdn_amp_url is not null, type is not null, category is not null,
            quality is not null, heat is not null, published is not null, duration_seconds is not null, provider_name is not null,
            provider_domain is not null, author_name is not null,
            article_id in (select article_id from article_topics where topic is not null), related_count > 0, images_count > 0,
            secured_digest is not null]) as is_present
    from articles),
related_fields as (
    select
        month,
        unnest(['title', 'excerpt', 'publishedDateTime', 'originalUrl', 'webUrl', 'type', 'category', 'quality', 'heat',
            'provider.name', 'provider.domain', 'topics', 'images']) as field,
        unnest([related.title is not null, excerpt is not null, related.published_at is not null, original_url is not null,
            web_url is not null, related.type is not null, category is not null, related.quality is not null,
            related.heat is not null, provider_name is not null, provider_domain is not null, coalesce(list_count(topics), 0) > 0,
            images_count > 0]) as is_present
    from related
    join article_facts using (article_id)),
counted as (
    select
        'article' as level,
        article_fields.field,
        article_fields.month,
        count(*) as items,
        count(*) filter (is_present) as present,
        count(*) filter (not is_present and is_empty) as empty,
        count(*) filter (not is_present and is_null and not is_empty) as invalid,
        count(*) filter (is_present and is_repaired) as repaired
    from article_fields
    left join (select article_id, field, is_empty, is_null, is_repaired from defects where item = '') as own
        using (article_id, field)
    group by article_fields.field, article_fields.month
    union all
    select 'related', whole.field, whole.month, items, present, coalesce(empty, 0), coalesce(invalid, 0), coalesce(repaired, 0)
    from (
        select field, month, count(*) as items, count(*) filter (is_present) as present
        from related_fields
        group by field, month) as whole
    left join (
        select
            field,
            month,
            count(*) filter (is_null_whole and is_empty) as empty,
            count(*) filter (is_null_whole and not is_empty) as invalid,
            count(*) filter (is_repaired and not is_null_whole) as repaired
        from defects
        where item <> ''
        group by field, month) as broken on broken.field = whole.field and broken.month is not distinct from whole.month)
select
    level, field, month, items, present,
    items - present as missing,
    present / items::double as present_share,
    empty,
    invalid,
    repaired
from counted
order by level, field, month nulls first
