-- One row per article without a provider, where too large a part of all articles has none.
--   threshold max_without_provider_percent = 100: Largest part of all articles that may have neither provider name nor domain
select article_id, path, title
from articles
where provider_id is null
    and (select 100.0::double * count(*) filter (provider_id is null) / nullif(count(*), 0) from articles)
        > $max_without_provider_percent::double
order by path
