-- One row per warehouse: how much of what was seen could be read, and how much of it is whole.
--   files: Files seen = articles + other + skipped + rejected
--   articles: Documents with a title
--   other: Front matter without a title
--   skipped: Files without front matter
--   rejected: Files that could not be read
--   rejected_share: rejected / files
--   findings: Defects survived, of articles and others
--   articles_with_findings: Articles with a defect
--   articles_with_findings_share: articles_with_findings / articles
--   complete_articles: Articles with title, excerpt, publication time, URL, provider, a topic, an image and a quality score
--   complete_share: complete_articles / articles
--   last_day: Latest day of publication (UTC)
with seen as (
    select
        count(*) as files,
        count(*) filter (status = 'other') as other,
        count(*) filter (status = 'skipped') as skipped,
        count(*) filter (status = 'rejected') as rejected
    from documents),
written as (
    select
        count(*) as articles,
        count(*) filter (findings_count > 0) as articles_with_findings,
        count(*) filter (
            title is not null and excerpt is not null and published_at is not null and url is not null and provider_id is not null
            and quality is not null and images_count > 0
            and article_id in (select article_id from article_topics where topic is not null)) as complete_articles,
        min((published_at at time zone 'UTC')::date) as first_day,
        max((published_at at time zone 'UTC')::date) as last_day
    from articles)
select
    (select as_of from report_clock) as as_of,
    files, articles, other, skipped, rejected,
    rejected / nullif(files, 0)::double as rejected_share,
    (select count(*) from findings) as findings,
    articles_with_findings,
    articles_with_findings / nullif(articles, 0)::double as articles_with_findings_share,
    complete_articles,
    complete_articles / nullif(articles, 0)::double as complete_share,
    first_day,
    last_day
from seen, written
