-- One row per file that could not be read; its article is missing from every report.
--   threshold max_rejected_files = 0: Most files that may be rejected
select path, line_number, column_number, code, message
from rejections
where (select count(*) from rejections) > $max_rejected_files::double
order by path
