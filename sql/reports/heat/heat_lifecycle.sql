-- One row per life of an article: how far its heat rose above its quality, when, and for how long.
--   article_id: document_id of the article; where the file moved, the last one of this life
--   title: Headline as it is now; null where the life has ended
--   path: Path of the file, at the end of the life
--   first_seen_at: First observation of the life [UTC]
--   known_until: The end of the life, or the end of what is known: the newest revision of the source, not the wall clock [UTC]
--   hours_known: From first_seen_at to known_until [hour]
--   peak_excess: Highest heat - quality; null = never above the baseline, which is excess 0: heat equal to quality
--   hours_to_peak: From first_seen_at to peak_at [hour]
--   hours_above_baseline: Time with heat above quality, in all spells together [hour]
--   hours_suppressed: Time with heat -1, which counts neither as above nor as hot [hour]
--   is_censored: Whether heat was above quality at known_until, so that hours_above_baseline may be too few
--   observations: Observations of the life, those of content alone and of moves too, its end not
--   score_changes: Changes of heat, quality or published since the first observation
--   last_excess: heat - quality at known_until; null = suppressed or unscored then
--   of_lives: Denominator: all lives
-- Baseline: on a real site of three years heat equals quality in 1,653 of 2,944 observations and is never below; each article goes
-- back to it, so that quality is the heat of an article that nothing heats. Peaks are the key's greatest value: the highest excess,
-- of equal ones the first.
with summed as (
    select article_id, life, any_value(ended) as ended, min(valid_from) as first_seen_at, max(until) as known_until,
           max(heat_excess) filter (heat_excess > 0) as peak_excess,
           arg_max(valid_from, heat_excess::hugeint * 4294967296 - stretch) filter (heat_excess > 0) as peak_at,
           sum(epoch_us(until) - epoch_us(valid_from)) filter (heat_excess > 0) as above,
           sum(epoch_us(until) - epoch_us(valid_from)) filter (heat_state = 'suppressed') as suppressed,
           sum(observations)::bigint as observations, max(stretch) as stretches,
           arg_max(row(heat_excess), stretch) as final
    from score_stretches
    group by article_id, life)
select
    summed.article_id, life, title, url, provider, files.path, first_seen_at, known_until, ended,
    (epoch_us(known_until) - epoch_us(first_seen_at)) / 3600e6::double as hours_known,
    peak_excess,
    peak_at,
    (epoch_us(peak_at) - epoch_us(first_seen_at)) / 3600e6::double as hours_to_peak,
    coalesce(above, 0) / 3600e6::double as hours_above_baseline,
    coalesce(suppressed, 0) / 3600e6::double as hours_suppressed,
    coalesce(final[1] > 0, false) as is_censored,
    observations,
    stretches - 1 as score_changes,
    final[1] as last_excess,
    count(*) over () as of_lives
from summed
join observations as files on files.article_id = summed.article_id and files.sequence = 1
left join article_facts on article_facts.article_id = summed.article_id and ended is null
order by peak_excess desc nulls last, hours_above_baseline desc, summed.article_id, life
