"""The heat report."""

from pipeline.report.sections import Chart, Report, Section

_HOW = "Each run adds what it sees: keep running, or give a source with its git history."

HEAT = Report(
    "heat",
    "Heat",
    "What is hot. Heat is the site's score of attention; excess is heat - quality. Suppressed articles (heat -1) are counted apart"
    " and never averaged.",
    (
        Section("heat_summary", "Heat at a glance", "How many articles are hot, suppressed or unscored?"),
        Section(
            "heat_now",
            "Hottest now",
            "Articles by heat above their quality; the age is counted up to the last run.",
            ("title", "heat_excess", "heat", "quality", "provider", "published_at", "age_hours", "url"),
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
        ),
        Section(
            "heat_by_topic",
            "By topic",
            "Which topics are hot? Means are over articles with heat that is not suppressed.",
            ("topic", "articles", "scored", "suppressed", "mean_heat", "median_heat", "max_heat", "mean_excess"),
            bar="mean_heat",
            empty="No article has a topic.",
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
            ("provider", "domain", "articles", "scored", "suppressed", "suppressed_share", "mean_heat", "max_heat", "mean_excess"),
            order="articles desc, provider, domain",
            empty="No article names an outlet.",
        ),
        Section(
            "suppressed_by_month",
            "Suppressed by month",
            "What share of the articles with heat is suppressed? With its 95 % interval.",
            ("month", "articles", "with_heat", "suppressed", "suppressed_share", "share_low", "share_high"),
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
            "heat_against_quality",
            "Heat against quality",
            "Does heat follow quality? Spearman's rank correlation: 1 = the same order, 0 = none.",
            ("scope", "articles", "with_both", "equal_to_quality", "equal_share", "hotter", "cooler", "spearman"),
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
        ),
        Section(
            "heat_half_life",
            "Half-life of heat",
            "After the peak, in what time does the excess of heat halve? A line through its logarithm, with a 95 % interval.",
            ("title", "peak_excess", "n", "half_life_hours", "low_hours", "high_hours", "r_squared", "reason", "url"),
            empty="No heat was ever seen above quality. " + _HOW,
        ),
        Section(
            "heat_survival",
            "How long heat lasts",
            "Which share of the articles that rose above their quality is still above it after some time? Kaplan-Meier estimate"
            " with its 95 % interval.",
            ("hours", "at_risk", "events", "censored", "survival", "std_error", "survival_low", "survival_high"),
            empty="No heat was ever seen above quality. " + _HOW,
        ),
        Section(
            "topic_heat_index",
            "Topics compared",
            "How hot were the topics' articles in a week, where all articles are 100?",
            ("week", "topic", "heat_index", "excess_index", "mean_heat", "mean_excess", "article_hours", "all_article_hours"),
            order="week desc, article_hours desc, topic",
            empty="No article with a topic had heat and quality for any time. " + _HOW,
        ),
        Section(
            "suppression_history",
            "Suppressions",
            "When was heat suppressed, for how long, and what was it before and after?",
            ("title", "suppressed_from", "suppressed_to", "hours", "heat_before", "heat_after", "ended_as", "path", "url"),
            empty="No heat was ever seen suppressed.",
        ),
        Section(
            "heat_history",
            "History",
            "What was an article worth when? A row for each time that its scores stayed the same.",
            ("title", "valid_from", "valid_to", "hours", "heat", "heat_excess", "quality", "heat_state", "is_published", "path"),
            order="valid_from desc, article_id, life, stretch desc",
            empty="Nothing has been observed.",
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
                "new",
                "content",
                "score_only",
                "secured_only",
                "moved",
                "deleted",
                "quiet_share",
            ),
            order="day desc, source",
            empty="No revision is on record.",
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
                "new",
                "content",
                "score_only",
                "secured_only",
                "moved",
                "deleted",
                "revision",
            ),
            order="observed_at desc, source, sequence desc",
            empty="No revision is on record.",
        ),
    ),
)
