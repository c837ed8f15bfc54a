"""The heat report."""

from pipeline.report.sections import Chart, Report, Section

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
            "Articles whose scores changed since they were first seen, the latest change of each.",
            ("title", "heat_delta", "heat", "previous_heat", "heat_state", "provider", "changed_at", "hours_between", "url"),
            empty="No score has changed since it was first seen; each later run adds what moved.",
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
    ),
)
