-- One row per source and revision: what kind of change the commit or run was.
--   source: Name of the source, as a whole: filters by article have no effect here
--   kind: The first of new, content, moved, deleted, rejected, score_only, secured_only, skipped that has a file: the weightiest change
--   kinds: How many of these have a file; 1 = nothing but the kind
--   files: Files that it changed: the sum of the following
select
    source, sequence, revision, observed_at,
    case when new > 0 then 'new' when content > 0 then 'content' when moved > 0 then 'moved' when deleted > 0 then 'deleted'
         when rejected > 0 then 'rejected' when score_only > 0 then 'score_only' when secured_only > 0 then 'secured_only'
         when skipped > 0 then 'skipped' end as kind,
    (new > 0)::bigint + (content > 0)::bigint + (score_only > 0)::bigint + (secured_only > 0)::bigint + (moved > 0)::bigint
        + (deleted > 0)::bigint + (rejected > 0)::bigint + (skipped > 0)::bigint as kinds,
    new + content + score_only + secured_only + moved + deleted + rejected + skipped as files,
    new, content, score_only, secured_only, moved, deleted, rejected, skipped
from revisions
order by source, sequence
