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
    count(*) as articles,
    count(heat) as scored,
    count(*) filter (heat_state = 'suppressed') as suppressed,
    count(*) filter (heat_state = 'unscored') as unscored,
    count(*) filter (heat_state = 'suppressed') / nullif(count(*) filter (heat_state <> 'unscored'), 0)::double as suppressed_share,
    avg(heat) as mean_heat,
    median(heat) as median_heat,
    quantile_cont(heat, 0.9) as p90_heat,
    min(heat) as min_heat,
    max(heat) as max_heat,
    count(heat_excess) as with_both,
    count(*) filter (heat_excess = 0) as equal_to_quality,
    count(*) filter (heat_excess = 0) / nullif(count(heat_excess), 0)::double as equal_share,
    avg(heat_excess) as mean_excess,
    min(day) as first_day,
    max(day) as last_day
from article_facts
