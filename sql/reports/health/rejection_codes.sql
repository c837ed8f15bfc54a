-- One row per stage and code of rejections: how many files could not be read for that reason.
--   files: Files rejected for it
--   of_files: Denominator: all files seen
--   share: files / of_files
--   example_source: Source of one such file, the first by source and path
--   example_path: Path of that file inside its source
--   example_line: Line in that file, from 1; null where the failure has no place
--   example_message: What is wrong with that file and what to do
select
    stage,
    code,
    count(*) as files,
    (select count(*) from documents) as of_files,
    count(*) / nullif((select count(*) from documents), 0)::double as share,
    arg_min(source, (source, path, document_id)) as example_source,
    arg_min(path, (source, path, document_id)) as example_path,
    min_by({'line': line_number}, (source, path, document_id)).line as example_line,
    arg_min(message, (source, path, document_id)) as example_message
from rejections
group by stage, code
order by files desc, stage, code
