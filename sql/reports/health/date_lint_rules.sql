-- One row per rule for times: how many articles break it, of those that could; also rules that none breaks.
--   rule: Kind of defect
--   is_defect: Whether it is wrong; false = it may be right and only says that the time is vague
--   articles: Articles that break it
--   of_articles: Denominator: articles that have the times which the rule compares; for missing all articles
with totals as (
    select
        count(*) as all_articles,
        count(*) filter (published_at is not null or updated_at is not null) as with_time,
        count(published_at) as with_published,
        count(*) filter (published_at is not null and updated_at is not null) as with_both,
        count(*) filter (published_at is not null and modified_at is not null) as with_file
    from articles
    join (select document_id as article_id, modified_at from documents) as files using (article_id)),
rules as (
    select
        unnest(['missing', 'in_the_future', 'default_date', 'before_1995', 'updated_before_published', 'newer_than_file',
            'midnight']) as rule,
        unnest(['No publication time, or none that can be read',
            'Published or updated after the moment up to which reports look (report_clock)',
            'Published or updated on 0001-01-01, 1899-12-30, 1900-01-01 or 1970-01-01: values that programs put for none',
            'Published or updated before 1995, when few outlets were online; not a default date',
            'Updated before it was published',
            'Published more than 24 hours after its file was last written',
            'Published at 00:00:00 UTC exactly: often a day without a time']) as meaning,
        unnest([true, true, true, true, true, true, false]) as is_defect,
        unnest([all_articles, with_time, with_time, with_time, with_both, with_file, with_published]) as of_articles
    from totals),
counted as (
    select rule, count(distinct article_id) as articles
    from date_defects
    group by rule
    union all
    select 'in_the_future', count(*)
    from articles
    cross join report_clock
    where greatest(published_at, updated_at) > as_of)
select
    rule,
    meaning,
    is_defect,
    coalesce(articles, 0) as articles,
    of_articles,
    coalesce(articles, 0) / nullif(of_articles, 0)::double as share
from rules
left join counted using (rule)
order by is_defect desc, articles desc, rule
