-- One row per article whose quality is below 0 or whose heat is below -1: no score that a site gives.
select article_id, path, quality, heat
from articles
where quality < 0 or heat < -1
order by path
