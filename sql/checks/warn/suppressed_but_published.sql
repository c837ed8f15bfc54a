-- One row per article with heat -1 (suppressed) that the site shows all the same.
select article_id, path, title
from articles
where heat = -1 and published
order by path
