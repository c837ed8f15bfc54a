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
    count(*) as articles,
    count(heat) as scored,
    count(*) filter (heat_state = 'suppressed') as suppressed,
    count(*) filter (heat_state = 'unscored') as unscored,
    count(*) filter (heat_state = 'suppressed') / nullif(count(*) filter (heat_state <> 'unscored'), 0)::double as suppressed_share,
    avg(heat) as mean_heat,
    median(heat) as median_heat,
    max(heat) as max_heat,
    avg(heat_excess) as mean_excess,
    min(day) as first_day,
    max(day) as last_day,
    count(heat_excess) as with_both
from topic_facts
join article_facts using (article_id)
group by topic
order by mean_heat desc nulls last, topic
