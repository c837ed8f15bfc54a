-- One row per file that could not be read; its article is missing from every report.
select path, line_number, column_number, code, message
from rejections
order by path
