-- One row per provider, per topic and per month: mean quality with its interval, and shrunken towards the overall mean.
--   dimension: What the row stands for: provider, topic or month
--   provider_id: Provider, where the row stands for one; articles without a provider are in no such row
--   topic: Topic as given, where the row stands for a topic
--   month: First day of the month of publication (UTC), where the row stands for a month; null = time unknown
--   articles: All articles of the group; an article with two topics counts for both
--   scored: Denominator of the quality figures: articles with a quality score
--   published: Articles that the site shows
--   mean_low: Lower end of the 95 % interval of the mean: mean -+ t * sd / sqrt(scored), Student's t; null below 2 scored
--   mean_high: Upper end of that interval
--   overall_mean: Mean over the scored of all groups together; an article with two topics counts for both
--   shrinkage_k: Scored at which a group's own mean and the overall mean count the same; null = only the latter, or unknown
--   shrunken_mean: (scored * mean + k * overall_mean) / (scored + k), empirical Bayes (Efron & Morris 1975), see quality_groups
--   rank: Rank by shrunken mean, equals share it; null below 10 scored
-- Shrunken mean: a group of few articles is pulled to the overall mean, so that chance does not lead the list (empirical Bayes:
-- Efron & Morris, JASA 70, 1975; weight n / (n + k) by Buehlmann & Straub 1970). k = within / between variance by the method of
-- moments (one-way analysis of variance, unequal sizes: Searle, Linear Models, 1971), with N scored in G groups of n each:
--   within = sum((n - 1) * sd^2) / (N - G), between = (sum(n * (mean - overall)^2) - (G - 1) * within) / (N - sum(n^2) / N).
-- Where between is not above 0, k is infinite: every shrunken mean is the overall mean.
-- Sums of fractions are ordered, so that their last digit is the same at every run.
-- t: from a table below 4 degrees of freedom, beyond by Abramowitz & Stegun 26.7.5, which is off by at most 0.04 %.
with members as (
    select 'provider' as dimension, provider_id, null::varchar as topic, null::date as month, article_id
    from articles
    where provider_id is not null
    union all
    select distinct 'topic', null::varchar, topic, null::date, article_id
    from article_topics
    where topic is not null
    union all
    select 'month', null::varchar, null::varchar, date_trunc('month', published_at at time zone 'UTC')::date, article_id
    from articles),
counted as (
    select dimension, members.provider_id, topic, month, count(*) as articles, count(quality) as scored,
           count(*) filter (published) as published, sum(quality) as total, avg(quality) as mean_quality,
           stddev_samp(quality order by quality) as sd_quality, median(quality) as median_quality,
           quantile_cont(quality, 0.1) as p10_quality, quantile_cont(quality, 0.9) as p90_quality,
           min((published_at at time zone 'UTC')::date) as first_day, max((published_at at time zone 'UTC')::date) as last_day
    from members
    join articles using (article_id)
    group by dimension, members.provider_id, topic, month),
totals as (
    select dimension, sum(scored)::double as all_scored, count(mean_quality) as all_groups, sum(scored * scored)::double as squares,
           sum(total) / nullif(sum(scored), 0)::double as overall_mean,
           sum((scored - 1) * sd_quality ** 2 order by scored, sd_quality) / nullif(sum(scored) - count(mean_quality), 0)::double
               as within_variance
    from counted
    group by dimension),
estimates as (
    select dimension, overall_mean, within_variance,
           (sum(scored * (mean_quality - overall_mean) ** 2 order by scored, mean_quality) - (all_groups - 1) * within_variance)
               / nullif(all_scored - squares / nullif(all_scored, 0), 0) as between_variance
    from counted
    join totals using (dimension)
    group by dimension, overall_mean, within_variance, all_scored, all_groups, squares),
shrunken as (
    select dimension, overall_mean, within_variance, case when between_variance > 0 then within_variance / between_variance end as k
    from estimates),
students as (
    select scored,
           case scored when 2 then 12.706205 when 3 then 4.302653 when 4 then 3.182446
           else 1.959964 + 2.372271 / (scored - 1) + 2.822499 / (scored - 1) ** 2 + 2.555850 / (scored - 1) ** 3
                + 1.589534 / (scored - 1) ** 4 end::double as t
    from (select distinct scored from counted where scored >= 2) as sizes)
select
    dimension, provider_id, topic, month, articles, scored, published, mean_quality, sd_quality,
    mean_quality - t * sd_quality / sqrt(scored) as mean_low,
    mean_quality + t * sd_quality / sqrt(scored) as mean_high,
    median_quality, p10_quality, p90_quality, overall_mean,
    k as shrinkage_k,
    case when scored = 0 or within_variance is null then null
         when k is not null then (scored * mean_quality + k * overall_mean) / (scored + k)
         else overall_mean end as shrunken_mean,
    case when scored >= 10 then rank() over (partition by dimension, scored >= 10 order by shrunken_mean desc) end as rank,
    first_day,
    last_day
from counted
join shrunken using (dimension)
left join students using (scored)
order by dimension, articles desc, topic, month, provider_id
