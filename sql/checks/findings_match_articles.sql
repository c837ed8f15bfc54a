-- One row per article whose count of findings differs from the rows of that table.
select article_id, path, findings_count, coalesce(n, 0) as findings
from articles
left join (select article_id, count(*) as n from findings group by all) as f using (article_id)
where findings_count <> coalesce(n, 0)
order by path
