-- One row per article without a quality score, where too large a part of all articles has none.
--   threshold max_unscored_percent = 100: Largest part of all articles that may be without a quality score
select article_id, path, title
from articles
where quality is null
    and (select 100.0::double * count(*) filter (quality is null) / nullif(count(*), 0) from articles)
        > $max_unscored_percent::double
order by path
