-- One row per warehouse: the moment up to which reports look.
--   as_of: Start of the last good run; the last change seen where no run is on record; null in an empty warehouse [UTC]
select coalesce(
    (select max(started_at) from runs where outcome in ('published', 'unchanged', 'forgotten', 'rolled_back')),
    (select max(observed_at) from observations)) as as_of
