-- One row per article, time and rule for times that it breaks; what lies in the future is for reports, as facts know no clock.
--   rule: missing, before_1995, default_date, midnight, updated_before_published or newer_than_file
--   field: publishedDateTime or updatedDateTime
--   value: The time in question [UTC]; null where it is missing
--   detail: What it is held against, as text
with moments as (
    select
        article_id, published_at, updated_at, modified_at,
        unnest(['publishedDateTime', 'updatedDateTime']) as field,
        unnest([published_at, updated_at]) as value
    from articles
    join (select document_id as article_id, modified_at from documents where status = 'article') as files using (article_id)),
dated as (
    select
        article_id, published_at, modified_at, field, value,
        (value at time zone 'UTC')::date
            in (date '0001-01-01', date '1899-12-30', date '1900-01-01', date '1970-01-01') as is_default
    from moments
    where value is not null)
select 'missing' as rule, article_id, 'publishedDateTime' as field, null::timestamptz as value,
       case when unreadable is null then 'absent or null' else 'set to null, the file says ' || unreadable end as detail
from articles
left join (
    select article_id, min('''' || left(coalesce(value, ''), 200) || '''') as unreadable
    from findings
    where field = 'publishedDateTime' and action = 'set to null'
    group by article_id) as unread using (article_id)
where published_at is null
union all
select 'default_date', article_id, field, value, 'a value that programs put where they know none'
from dated
where is_default
union all
select 'before_1995', article_id, field, value, null
from dated
where value < timestamptz '1995-01-01 00:00:00+00' and not is_default
union all
select 'midnight', article_id, field, value, null
from dated
where field = 'publishedDateTime' and not is_default
    and (value at time zone 'UTC') = date_trunc('day', value at time zone 'UTC')
union all
select 'updated_before_published', article_id, field, value,
       'published ' || strftime(published_at at time zone 'UTC', '%Y-%m-%d %H:%M:%SZ')
from dated
where field = 'updatedDateTime' and value < published_at
union all
select 'newer_than_file', article_id, field, value,
       'file written ' || strftime(modified_at at time zone 'UTC', '%Y-%m-%d %H:%M:%SZ')
from dated
where field = 'publishedDateTime' and value > modified_at + interval 24 hours
