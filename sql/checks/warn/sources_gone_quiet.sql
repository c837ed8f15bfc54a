-- One row per source whose newest article is too old at the start of the last good run (report_clock).
--   threshold max_days_without_article = off: Days that the newest article of a source may be old
select source, max(published_at) as newest_article_at, as_of
from articles
cross join report_clock
where published_at <= as_of
group by source, as_of
having epoch(as_of) - epoch(max(published_at)) > 86400 * $max_days_without_article::double
order by source
