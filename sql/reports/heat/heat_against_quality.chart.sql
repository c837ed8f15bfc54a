-- One row per step of 5 in quality and in heat that has articles.
select (quality // 5) * 5 as quality, (heat // 5) * 5 as heat, count(*) as articles
from article_facts where heat is not null and quality is not null
group by all order by all limit 2000
