-- One row per article whose quality is below 0 or whose heat is below -1, or whose score is above what the site gives.
--   threshold max_score = off: Highest quality or heat that the site gives
select article_id, path, quality, heat
from articles
where quality < 0 or heat < -1 or greatest(quality, heat) > $max_score::double
order by path
