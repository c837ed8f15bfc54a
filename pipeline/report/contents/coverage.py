"""The coverage report."""

from pipeline.report.sections import Chart, Report, Section

COVERAGE = Report(
    "coverage",
    "Coverage",
    "What the articles are about, who publishes them, and what is missing. Attention is a topic's share of all articles of a"
    " day; an article with two topics counts for both.",
    (
        Section(
            "coverage_summary", "Coverage at a glance", "How much is there, and how fresh is it?"
        ),
        Section(
            "attention_by_topic_day",
            "Attention",
            "What share of all articles does each topic have, day by day, and over seven days as in the chart? Days without"
            " any article have no share.",
            (
                "day",
                "topic",
                "articles",
                "of_articles",
                "attention_share",
                "attention_share_7_days",
            ),
            order="day desc, articles desc, topic",
            empty="No article with a topic has a day of publication.",
            chart=Chart(
                "lines",
                "Share of all articles over seven days, for the six topics with most articles.",
                x="day",
                y="attention_share_7_days",
                series="topic",
                tips=("articles_7_days", "of_articles_7_days"),
                query="""
                    select topic, day, attention_share_7_days, articles_7_days, of_articles_7_days
                    from attention_by_topic_day
                    where topic in (select topic from coverage_by_topic order by articles desc, topic limit 6)
                    order by topic, day
                """,
            ),
        ),
        Section(
            "coverage_by_topic",
            "By topic",
            "Which topics are covered, by how many outlets, and how evenly?",
            (
                "topic",
                "articles",
                "of_articles",
                "attention_share",
                "providers",
                "effective_providers",
                "top_provider",
            ),
            bar="attention_share",
            empty="No article has a topic.",
        ),
        Section(
            "coverage_gaps",
            "Gaps",
            "Where did a topic go quiet for three times its usual interval or longer, within a year of the newest article,"
            " and did anybody look?",
            (
                "topic",
                "first_day",
                "last_day",
                "days",
                "usual_interval_days",
                "why",
                "is_open",
                "other_articles",
            ),
            empty="No topic went quiet for longer than usual within the last year.",
        ),
        Section(
            "provider_concentration_by_month",
            "Concentration by month",
            "How many outlets of equal size would give the same concentration? A falling line: fewer voices.",
            (
                "month",
                "articles",
                "providers",
                "hhi",
                "level",
                "effective_providers",
                "gini",
                "cr4",
                "top_provider",
            ),
            order="month desc nulls last",
            empty="No article with a day of publication names an outlet.",
            chart=Chart(
                "band",
                "Effective number of outlets (1 / HHI) by month of publication.",
                x="month",
                y="effective_providers",
                tips=("articles", "providers", "hhi", "top_provider"),
            ),
            shown=12,
        ),
        Section(
            "provider_concentration",
            "Concentration by topic and month",
            "Which topics depend on few outlets?",
            (
                "topic",
                "month",
                "articles",
                "providers",
                "hhi",
                "level",
                "effective_providers",
                "top_provider",
                "top_provider_share",
            ),
            order="articles >= 10 desc, hhi desc, articles desc, topic, month",
            empty="No article with a topic names an outlet.",
        ),
        Section(
            "provider_topics",
            "Outlets and their topics",
            "Who covers what? The quotient is 1 where an outlet gives a topic its usual share.",
            (
                "provider",
                "topic",
                "articles",
                "of_provider",
                "share_of_provider",
                "share_of_topic",
                "location_quotient",
            ),
            empty="No article with a topic names an outlet.",
            chart=Chart(
                "heatmap",
                "Articles of the 15 largest outlets by topic; the 10 largest topics.",
                x="topic",
                y="provider",
                color="articles",
                tips=("share_of_provider", "location_quotient"),
                query="""
                    select provider, topic, sum(articles)::bigint as articles, max(share_of_provider) as share_of_provider,
                           max(location_quotient) as location_quotient
                    from provider_topics
                    where provider in (select provider from provider_topics where provider is not null
                                       group by provider order by sum(articles) desc, provider limit 15)
                      and topic in (select topic from coverage_by_topic order by articles desc, topic limit 10)
                    group by all order by all
                """,
            ),
        ),
        Section(
            "topic_pairs",
            "Topics that go together",
            "Which topics share articles more often than chance would have it, among the articles chosen? Lift 1 = as often.",
            (
                "topic_a",
                "topic_b",
                "articles",
                "expected_articles",
                "lift",
                "lift_low",
                "lift_high",
            ),
            empty="No two topics share three articles.",
        ),
        Section(
            "stories",
            "Stories",
            "Articles and related items joined by their links: how large, how many outlets, who was first?",
            (
                "headline",
                "members",
                "our_members",
                "providers",
                "first_published_at",
                "span_hours",
                "first_provider",
                "first_url",
            ),
            empty="No article has a related item.",
        ),
        Section(
            "story_timeline",
            "Who came when",
            "The members of each story in order of time, with their lag behind the first.",
            ("place", "members", "provider", "title", "published_at", "lag_hours", "url"),
            empty="No article has a related item.",
        ),
        Section(
            "hub_links",
            "Links that join nothing",
            "Addresses that so many articles list that they would join strangers to one story: they are left out of stories.",
            ("listed_by", "of_listing", "listed_share", "title", "provider", "url"),
            empty="No address is listed by too many articles.",
        ),
        Section(
            "provider_activity",
            "New and silent outlets",
            "Who is new, and who has not been heard for longer than usual? Occasional: too few days to tell what is usual.",
            (
                "provider",
                "state",
                "articles",
                "first_day",
                "last_day",
                "usual_interval_days",
                "days_since_last",
                "last_30_days",
            ),
            empty="No article names an outlet.",
        ),
        Section(
            "publishing_rhythm",
            "Rhythm",
            "At which hours are articles published? Monday is 1; hours are UTC; of the articles whose time of day is known.",
            ("weekday", "hour", "articles", "of_articles", "share"),
            empty="No article has a time of publication.",
            chart=Chart(
                "heatmap",
                "Articles by hour (UTC) and weekday of publication.",
                x="hour",
                y="weekday",
                color="articles",
                tips=("share",),
                query="""
                    select hour, ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][weekday] as weekday, articles, share
                    from publishing_rhythm order by publishing_rhythm.weekday, hour
                """,
            ),
        ),
    ),
)
