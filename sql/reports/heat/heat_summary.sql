-- One row per warehouse: how hot the articles are, over those with a heat score that is not suppressed.
--   articles: All articles
--   scored: Denominator of the heat figures: articles with heat 0 or more
--   suppressed: Articles with heat -1; never part of a mean
--   unscored: Articles without heat
--   suppressed_share: suppressed / (scored + suppressed)
--   mean_heat: Arithmetic mean over the scored
--   median_heat: Median over the scored
--   p90_heat: 90th percentile over the scored, interpolated
--   min_heat: Lowest heat over the scored
--   max_heat: Highest heat
--   with_both: Denominator of the figures on quality: articles with heat 0 or more and a quality score
--   equal_to_quality: Those whose heat is their quality: nothing has heated or cooled them
--   equal_share: equal_to_quality / with_both
--   mean_excess: Mean of heat - quality over with_both
--   first_day: Earliest day of publication (UTC)
--   last_day: Latest day of publication (UTC)
select
    articles,
    scored,
    suppressed,
    unscored,
    suppressed_share,
    mean_heat,
    median_heat,
    p90_heat,
    min_heat,
    max_heat,
    with_both,
    equal_to_quality,
    equal_to_quality / nullif(with_both, 0)::double as equal_share,
    mean_excess,
    first_day,
    last_day
from heat_groups
where dimension = 'all'
