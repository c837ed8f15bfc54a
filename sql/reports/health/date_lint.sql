-- One row per article, time and rule that the time breaks: dates to review.
--   rule: Kind of defect, see date_lint_rules
--   detail: What it is held against, or what the file says instead of a time
with ahead as (
    select article_id, as_of, unnest(['publishedDateTime', 'updatedDateTime']) as field, unnest([published_at, updated_at]) as value
    from articles
    cross join report_clock
    where greatest(published_at, updated_at) > as_of),
defects as (
    select rule, article_id, field, value, detail
    from date_defects
    union all
    select 'in_the_future', article_id, field, value,
           'reports look up to ' || strftime(as_of at time zone 'UTC', '%Y-%m-%d %H:%M:%SZ')
    from ahead
    where value > as_of)
select
    rule, source, path, article_id, title,
    coalesce(provider_name, provider_domain) as provider,
    field,
    value,
    detail
from defects
join articles using (article_id)
order by rule, source, path, field
