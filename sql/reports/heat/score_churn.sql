-- One row per source and day with revisions: what kind of change they brought, counted in files.
--   source: Name of the source, as a whole: filters by article have no effect here
--   day: Day of the revisions (UTC)
--   revisions: Commits or runs that changed files of the source
--   files: Denominator of the shares: files that they changed, a file once per revision
--   new_share: new / files
--   content_share: content / files
--   score_only_share: score_only / files
--   secured_only_share: secured_only / files
--   quiet_revisions: Revisions in which nothing but secured changed
--   quiet_share: quiet_revisions / revisions
select
    source,
    (observed_at at time zone 'UTC')::date as day,
    count(*) as revisions,
    sum(files)::bigint as files,
    sum(new)::bigint as new,
    sum(content)::bigint as content,
    sum(score_only)::bigint as score_only,
    sum(secured_only)::bigint as secured_only,
    sum(moved)::bigint as moved,
    sum(deleted)::bigint as deleted,
    sum(rejected)::bigint as rejected,
    sum(skipped)::bigint as skipped,
    sum(new) / nullif(sum(files), 0)::double as new_share,
    sum(content) / nullif(sum(files), 0)::double as content_share,
    sum(score_only) / nullif(sum(files), 0)::double as score_only_share,
    sum(secured_only) / nullif(sum(files), 0)::double as secured_only_share,
    count(*) filter (secured_only = files) as quiet_revisions,
    count(*) filter (secured_only = files) / count(*)::double as quiet_share
from (select source, observed_at, new, content, score_only, secured_only, moved, deleted, rejected, skipped,
             new + content + score_only + secured_only + moved + deleted + rejected + skipped as files
      from revisions)
group by source, day
order by source, day
