-- One row per warehouse: the sentence below the question of score_churn.
select format('{:,} revisions with {:,} files; {:,} revisions changed nothing but secured.', sum(revisions)::bigint,
              sum(files)::bigint, sum(quiet_revisions)::bigint)
from score_churn
