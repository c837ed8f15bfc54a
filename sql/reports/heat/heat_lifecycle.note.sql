-- One row per warehouse: the sentence below the question of heat_lifecycle.
select case
    when max(score_changes) = 0 then 'No scores have been seen to change yet.'
        || ' Each run adds what it sees: keep running, or give a source with its git history.'
    else format('{:,} of {:,} lives rose above their quality; {:,} of these are still above,'
                || ' as far as is known.', count(peak_excess), count(*),
                count(*) filter (is_censored and ended is null)) end
from heat_lifecycle
