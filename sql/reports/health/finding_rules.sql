-- One row per rule of findings: how many defects were survived and how many files have them.
--   findings: Defects
--   documents: Files that have it
--   of_documents: Denominator: files loaded (articles and others)
--   example: One value as found
select
    rule,
    count(*) as findings,
    count(distinct document_id) as documents,
    (select count(*) from documents where status in ('article', 'other')) as of_documents,
    left(min(value), 200) as example
from findings
group by rule
order by findings desc, rule
