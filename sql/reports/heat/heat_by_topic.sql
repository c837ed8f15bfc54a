-- One row per topic: how hot its articles are, over those with a heat score that is not suppressed.
--   topic: Topic as given
--   articles: All articles of the topic
--   scored: Denominator of the heat figures: articles with heat 0 or more
--   suppressed: Articles with heat -1; never part of a mean
--   unscored: Articles without heat
--   suppressed_share: suppressed / (scored + suppressed)
--   mean_heat: Arithmetic mean over the scored
--   median_heat: Median over the scored
--   max_heat: Highest heat
--   mean_excess: Mean of heat - quality, over the articles that have both
--   first_day: Earliest day of publication (UTC)
--   last_day: Latest day of publication (UTC)
--   with_both: Denominator of mean_excess: articles with heat 0 or more and a quality score
select
    topic,
    articles,
    scored,
    suppressed,
    unscored,
    suppressed_share,
    mean_heat,
    median_heat,
    max_heat,
    mean_excess,
    first_day,
    last_day,
    with_both
from heat_groups
where dimension = 'topic'
order by mean_heat desc nulls last, topic
