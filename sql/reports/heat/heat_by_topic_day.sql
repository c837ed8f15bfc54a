-- One row per topic and day with articles: how hot what came out on the day is, over those scored and not suppressed.
--   day: Day of publication (UTC); null = time unknown
--   topic: Topic as given
--   articles: All articles of the topic on the day; an article with two topics counts for both
--   scored: Denominator of the heat figures: articles with heat 0 or more
--   suppressed: Articles with heat -1; never part of a mean
--   unscored: Articles without heat
--   suppressed_share: suppressed / (scored + suppressed)
--   mean_heat: Arithmetic mean over the scored
--   max_heat: Highest heat
--   with_both: Denominator of mean_excess: articles with heat 0 or more and a quality score
--   mean_excess: Mean of heat - quality over with_both
select
    day,
    topic,
    articles,
    scored,
    suppressed,
    unscored,
    suppressed_share,
    mean_heat,
    max_heat,
    with_both,
    mean_excess
from heat_groups
where dimension = 'topic_day'
order by day nulls last, topic
