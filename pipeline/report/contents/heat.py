"""The heat report."""

from pipeline.report.sections import Chart, Report, Section

_COUNTED = (
    "new",
    "content",
    "score_only",
    "secured_only",
    "moved",
    "deleted",
    "rejected",
    "skipped",
)
"""What revisions count."""
_HOW = "Each run adds what it sees: keep running, or give a source with its git history."

HEAT = Report(
    "heat",
    "Heat",
    "What is hot. Heat is the site's score of attention; excess is heat - quality. Suppressed articles (heat -1) are counted apart"
    " and never averaged.",
    (
        Section(
            "heat_summary", "Heat at a glance", "How many articles are hot, suppressed or unscored?"
        ),
        Section(
            "heat_now",
            "Hottest now",
            "Articles by heat above their quality; the age is counted up to the last run.",
            (
                "title",
                "heat_excess",
                "heat",
                "quality",
                "provider",
                "published_at",
                "age_hours",
                "url",
            ),
            empty="No article has both heat and quality.",
        ),
        Section(
            "heat_movers",
            "Movers",
            "Whose heat moved in the 7 days before the end of what is known? The score tells how unusual the heat is for the"
            " article's last 28 days; none where it stood still for most of them.",
            (
                "title",
                "heat",
                "change_24h",
                "change_7d",
                "heat_state",
                "quality",
                "median_heat",
                "mad_heat",
                "robust_score",
                "changes_7d",
                "changed_at",
                "provider",
                "url",
            ),
            empty="No heat moved in the last 7 days that are known. " + _HOW,
            note="""
                select format('{:,} of {:,} articles that were seen, up to {} UTC, when the newest revision came.', count(*),
                              any_value(of_articles), strftime(max(known_until), '%Y-%m-%d %H:%M'))
                from heat_movers
            """,
        ),
        Section(
            "heat_lifecycle",
            "Lifecycles",
            "How far did heat rise above quality, when, and for how long? An article that comes back after its end"
            " begins another life.",
            (
                "title",
                "peak_excess",
                "hours_to_peak",
                "hours_above_baseline",
                "is_censored",
                "first_seen_at",
                "ended",
                "observations",
                "provider",
                "path",
                "url",
            ),
            empty="Nothing has been observed.",
            chart=Chart(
                "panels",
                "Excess of heat over quality in the four weeks after the first sight, for the twelve lives that got hottest then.",
                x="days_since_first_seen",
                y="heat_excess",
                series="article",
                query="""
                    with hottest as (
                        select article_id, life, first_seen_at, coalesce(title, path) as name,
                               row_number() over (order by peak_excess desc, hours_above_baseline desc, article_id, life) as place
                        from heat_lifecycle
                        where peak_excess > 0 and score_changes > 0 and hours_to_peak < 672
                        qualify place <= 12),
                    steps as (
                        select place, place || '. ' || name as article, heat_excess, stretch,
                               (epoch(valid_from) - epoch(first_seen_at)) / 86400 as began,
                               (epoch(valid_from) - epoch(first_seen_at)) / 86400 + hours / 24 as ended,
                               max(stretch) over (partition by place) as last
                        from heat_history
                        join hottest using (article_id, life))
                    select place, article, round(began, 3) as days_since_first_seen, heat_excess
                    from steps
                    where began <= 28
                    union all
                    select place, article, round(least(ended, 28), 3), heat_excess
                    from steps
                    where began <= 28 and (ended > 28 or stretch = last)
                    order by place, days_since_first_seen
                """,
            ),
            note=f"""
                select case
                    when max(score_changes) = 0 then 'No scores have been seen to change yet.'
                        || ' {_HOW}'
                    else format('{{:,}} of {{:,}} lives rose above their quality; {{:,}} of these are still above,'
                                || ' as far as is known.', count(peak_excess), count(*),
                                count(*) filter (is_censored and ended is null)) end
                from heat_lifecycle
            """,
        ),
        Section(
            "heat_survival",
            "How long heat lasts",
            "Which share of the articles that rose above their quality is still above it after some time? Kaplan-Meier estimate"
            " with its 95 % interval.",
            ("hours", "at_risk", "events", "censored", "survival", "survival_low", "survival_high"),
            empty="No heat was ever seen above quality. " + _HOW,
            chart=Chart(
                "survival",
                "Share of articles whose heat is still above quality, by hours since it rose, with its 95 % interval; ticks are"
                " articles of which nothing more is known.",
                x="hours",
                y="survival",
                low="survival_low",
                high="survival_high",
                color="censored",
                tips=("at_risk", "events"),
                query="""
                    select hours, survival, survival_low, survival_high, censored, at_risk, events
                    from (select *, row_number() over (order by hours) as place, count(*) over () as places from heat_survival)
                    where hours = 0 or place = places or (place - 1) % greatest(1, places // 1000) = 0
                    qualify max(hours) over () > 0
                    order by hours
                """,
            ),
            note="""
                select format('{:,} lives that were ever above: {:,} came back, of {:,} nothing more is known. ', max(lives),
                              sum(events)::bigint, sum(censored)::bigint)
                    || case when any_value(median_hours) is null then 'The median is not reached.'
                       else format('Half of them are back after {:,.1f} hours (95 % interval {:,.1f} to {}).',
                                   any_value(median_hours), any_value(median_low_hours),
                                   coalesce(format('{:,.1f}', any_value(median_high_hours)), 'open')) end
                from heat_survival
            """,
        ),
        Section(
            "heat_half_life",
            "Half-life of heat",
            "After the peak, in what time does the excess of heat halve? A line through its logarithm, with a 95 % interval.",
            (
                "title",
                "peak_excess",
                "n",
                "half_life_hours",
                "low_hours",
                "high_hours",
                "r_squared",
                "reason",
                "url",
            ),
            empty="No heat was ever seen above quality. " + _HOW,
            note="""
                select format('{:,} of {:,} lives with a peak have a half-life that can be told',
                              count(*) filter (estimable), count(*))
                    || coalesce(format('; the median of these is {:,.0f} hours.', median(half_life_hours)), '.')
                from heat_half_life
            """,
        ),
        Section(
            "heat_by_topic",
            "By topic",
            "Which topics are hot? Means are over articles with heat that is not suppressed.",
            (
                "topic",
                "articles",
                "scored",
                "suppressed",
                "mean_heat",
                "median_heat",
                "max_heat",
                "mean_excess",
            ),
            bar="mean_heat",
            empty="No article has a topic.",
        ),
        Section(
            "topic_heat_index",
            "Topics compared",
            "How hot were the topics' articles in a week, where all articles are 100?",
            (
                "week",
                "topic",
                "heat_index",
                "mean_heat",
                "mean_excess",
                "article_hours",
                "all_article_hours",
            ),
            order="week desc, article_hours desc, topic",
            empty="No article with a topic had heat and quality for any time. " + _HOW,
            chart=Chart(
                "lines",
                "Mean heat by week where that of all articles is 100, for the six topics with most time of articles.",
                x="week",
                y="heat_index",
                series="topic",
                tips=("mean_heat", "mean_excess", "article_hours"),
                query="""
                    select topic, week, heat_index, mean_heat, mean_excess, article_hours
                    from topic_heat_index
                    where topic in (
                        select topic from topic_heat_index group by topic order by sum(article_hours) desc, topic limit 6)
                    qualify count(*) over (partition by topic) > 1
                    order by all
                """,
            ),
        ),
        Section(
            "heat_by_topic_day",
            "Topic by day",
            "How hot were the topics' articles, by their day of publication? The chart takes weeks together.",
            ("day", "topic", "articles", "scored", "suppressed", "mean_heat", "max_heat"),
            order="day desc nulls last, articles desc, topic",
            empty="No article with a topic has a day of publication.",
            chart=Chart(
                "lines",
                "Mean heat by week of publication, for the six topics with most articles.",
                x="week",
                y="mean_heat",
                series="topic",
                tips=("scored",),
                query="""
                    select topic, date_trunc('week', day)::date as week, sum(mean_heat * scored) / sum(scored) as mean_heat,
                           sum(scored)::bigint as scored
                    from heat_by_topic_day
                    where scored > 0 and topic in (select topic from heat_by_topic order by articles desc, topic limit 6)
                      and day > (select last_day from report_clock) - 730
                    group by all order by all
                """,
            ),
        ),
        Section(
            "heat_by_provider",
            "By outlet",
            "Whose articles are hot, and whose are suppressed?",
            (
                "provider",
                "domain",
                "articles",
                "scored",
                "suppressed",
                "suppressed_share",
                "mean_heat",
                "max_heat",
                "mean_excess",
            ),
            order="articles desc, provider, domain",
            empty="No article names an outlet.",
        ),
        Section(
            "suppressed_by_month",
            "Suppressed by month",
            "What share of the articles with heat is suppressed? With its 95 % interval.",
            (
                "month",
                "articles",
                "with_heat",
                "suppressed",
                "suppressed_share",
                "share_low",
                "share_high",
            ),
            order="month desc nulls last",
            bar="suppressed_share",
            empty="No article with a day of publication has heat.",
            chart=Chart(
                "band",
                "Share of articles with heat that is suppressed, by month of publication, with its 95 % interval.",
                x="month",
                y="suppressed_share",
                low="share_low",
                high="share_high",
                tips=("suppressed", "with_heat"),
            ),
            shown=12,
        ),
        Section(
            "suppression_history",
            "Suppressions",
            "When was heat suppressed, for how long, and what was it before and after?",
            (
                "title",
                "suppressed_from",
                "suppressed_to",
                "hours",
                "heat_before",
                "heat_after",
                "ended_as",
                "path",
                "url",
            ),
            empty="No heat was ever seen suppressed.",
            note="""
                select format('Spells: {:,}, in {:,} of {:,} lives that were ever scored or suppressed; still going on: {:,}.',
                              count(*), count(distinct (article_id, life)), any_value(of_lives),
                              count(*) filter (suppressed_to is null))
                from suppression_history
            """,
        ),
        Section(
            "heat_against_quality",
            "Heat against quality",
            "Does heat follow quality? Spearman's rank correlation: 1 = the same order, 0 = none.",
            (
                "scope",
                "articles",
                "with_both",
                "equal_to_quality",
                "equal_share",
                "hotter",
                "cooler",
                "spearman",
            ),
            empty="No article has both heat and quality.",
            chart=Chart(
                "scatter",
                "Articles by quality and heat, in steps of 5; a larger point is more articles.",
                x="quality",
                y="heat",
                color="articles",
                query="""
                    select (quality // 5) * 5 as quality, (heat // 5) * 5 as heat, count(*) as articles
                    from article_facts where heat is not null and quality is not null
                    group by all order by all limit 2000
                """,
            ),
        ),
        Section(
            "score_churn",
            "What changes",
            "What kind of change do the revisions of a day bring? Counted in files of whole sources: filters have no effect here.",
            (
                "day",
                "source",
                "revisions",
                "files",
                *_COUNTED,
                "quiet_share",
            ),
            order="day desc, source",
            empty="No revision is on record.",
            chart=Chart(
                "lines",
                "Files that revisions changed, by week and by what changed.",
                x="week",
                y="files",
                series="change",
                query="""
                    with counted as (
                        select date_trunc('week', day)::date as week, change, sum(files)::bigint as files
                        from (unpivot (select day, new, content, score_only, secured_only, moved, deleted from score_churn)
                              on new, content, score_only, secured_only, moved, deleted into name change value files)
                        group by week, change)
                    select week, replace(change, '_', ' ') as change, files
                    from counted
                    qualify sum(files) over (partition by change) > 0 and count(*) over (partition by change) > 1
                    order by week, change
                """,
            ),
            note="""
                select format('{:,} revisions with {:,} files; {:,} revisions changed nothing but secured.', sum(revisions)::bigint,
                              sum(files)::bigint, sum(quiet_revisions)::bigint)
                from score_churn
            """,
        ),
        Section(
            "revision_kinds",
            "Revisions",
            "What kind of change was each commit or run? Whole sources again.",
            (
                "observed_at",
                "source",
                "kind",
                "files",
                *_COUNTED,
                "revision",
            ),
            order="observed_at desc, source, sequence desc",
            empty="No revision is on record.",
        ),
        Section(
            "heat_history",
            "History",
            "What was an article worth when? A row for each time that its scores stayed the same.",
            (
                "title",
                "valid_from",
                "valid_to",
                "hours",
                "heat",
                "heat_excess",
                "quality",
                "heat_state",
                "is_published",
                "path",
            ),
            order="valid_from desc, article_id, life, stretch desc",
            empty="Nothing has been observed.",
        ),
    ),
)
