-- One row per collection and one for all: whether heat follows quality.
--   scope: (all), or the collection; (none) = articles at the top of the source, which are in no collection
--   articles: All articles
--   with_both: Denominator: articles with heat 0 or more and a quality score
--   equal_to_quality: Those whose heat is their quality
--   hotter: Those with heat above quality
--   cooler: Those with heat below quality
--   spearman: Pearson's r of the ranks of heat and quality, equals get their mean rank (Spearman 1904); null where one is constant
--   first_day: Earliest day of publication of the articles with both (UTC)
--   last_day: Latest day of publication of the articles with both (UTC)
-- x and y are twice the mean rank, plus 1: whole numbers, so that sums are exact, and of no effect on the correlation.
with members as (
    select '(all)' as scope, 0 as place, quality, heat, heat_excess, day
    from article_facts
    union all
    select coalesce(collection, '(none)'), 1, quality, heat, heat_excess, day
    from article_facts),
counted as (
    select scope, place, count(*) as articles
    from members
    group by scope, place),
ranked as (
    select scope, place, heat_excess, day,
           (2 * rank() over (partition by place, scope order by quality)
            + count(*) over (partition by place, scope, quality))::hugeint as x,
           (2 * rank() over (partition by place, scope order by heat)
            + count(*) over (partition by place, scope, heat))::hugeint as y
    from members
    where heat_excess is not null),
compared as (
    select scope, place, count(*) as with_both, count(*) filter (heat_excess = 0) as equal_to_quality,
           count(*) filter (heat_excess > 0) as hotter, count(*) filter (heat_excess < 0) as cooler,
           count(*) * sum(x * y) - sum(x) * sum(y) as covariance,
           sqrt(count(*) * sum(x * x) - sum(x) * sum(x)) * sqrt(count(*) * sum(y * y) - sum(y) * sum(y)) as deviations,
           min(day) as first_day, max(day) as last_day
    from ranked
    group by scope, place)
select
    scope,
    articles,
    coalesce(with_both, 0) as with_both,
    coalesce(equal_to_quality, 0) as equal_to_quality,
    coalesce(hotter, 0) as hotter,
    coalesce(cooler, 0) as cooler,
    equal_to_quality / with_both::double as equal_share,
    case when deviations > 0 then greatest(-1, least(1, covariance / deviations)) end as spearman,
    first_day,
    last_day
from counted
left join compared using (scope, place)
order by place, articles desc, scope
