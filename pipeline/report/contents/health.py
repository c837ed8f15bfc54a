"""The data health report."""

from pipeline.report.sections import Chart, Report, Section

HEALTH = Report(
    "health",
    "Data health",
    "What is missing, broken or doubtful in the files themselves.",
    (
        Section("health_summary", "Health at a glance", "How many files were read, and how many articles are complete?"),
        Section(
            "freshness_by_source",
            "Freshness",
            "How old are the newest article and the newest file of each source and collection, up to the last run?",
            ("source", "collection", "articles", "newest_article_at", "article_age_hours", "newest_file_at", "file_age_hours"),
            empty="No file was read.",
        ),
        Section(
            "field_completeness",
            "Completeness",
            "Which fields are there, month by month? Missing is absent, null or set to null.",
            ("level", "field", "month", "items", "present", "missing", "present_share", "empty", "invalid", "repaired"),
            order="month desc nulls last, level, present_share, field",
            empty="There is no article.",
            chart=Chart(
                "heatmap",
                "Share of articles that have each field, by month of publication, of the last 24 months.",
                x="month",
                y="field",
                color="present_share",
                tips=("items", "missing", "invalid", "repaired"),
                query="""
                    select strftime(month, '%Y-%m') as month, field, present_share, items, missing, invalid, repaired
                    from field_completeness
                    where level = 'article' and month is not null
                      and month > (select max(month) from field_completeness) - interval 24 month
                    order by field, month
                """,
            ),
        ),
        Section(
            "finding_rules",
            "Repaired or set to null",
            "Which defects were survived? `pipeline findings --rule RULE` lists them with line and column.",
            ("rule", "findings", "documents", "of_documents", "example"),
            bar="documents",
            empty="No defect was found.",
        ),
        Section(
            "rejection_codes",
            "Rejected",
            "Why could files not be read? `pipeline rejects` lists them with line and column.",
            ("code", "stage", "files", "of_files", "example_path", "example_line", "example_message"),
            empty="Every file could be read.",
        ),
        Section(
            "url_lint_rules",
            "Addresses by rule",
            "What is doubtful about the addresses?",
            ("rule", "meaning", "articles", "of_articles", "share", "related_items", "of_related_items"),
            empty="There is no rule.",
        ),
        Section(
            "url_lint",
            "Doubtful addresses",
            "Each doubtful address, with the file that has it.",
            ("rule", "path", "title", "provider", "field", "url", "detail"),
            empty="No address is doubtful.",
        ),
        Section(
            "image_health",
            "Images by owner",
            "Who lacks an image, and what is doubtful about those that are there?",
            ("owner", "owners", "missing", "missing_share", "images", "tiny", "relative", "http", "not_cached", "without_title"),
            empty="There is no image.",
        ),
        Section(
            "image_problems",
            "Doubtful images",
            "Each image with a problem, with the file that has it.",
            ("problems", "path", "owner", "field", "width_px", "height_px", "url"),
            empty="No image is doubtful.",
        ),
        Section(
            "date_lint_rules",
            "Dates by rule",
            "What is doubtful about the dates?",
            ("rule", "meaning", "is_defect", "articles", "of_articles", "share"),
            empty="There is no rule.",
        ),
        Section(
            "date_lint",
            "Doubtful dates",
            "Each doubtful date, with the file that has it.",
            ("rule", "path", "title", "field", "value", "detail"),
            empty="No date is doubtful.",
        ),
        Section(
            "duplicate_urls",
            "The same page twice",
            "Canonical URLs that several articles have.",
            ("articles", "title", "url", "collections", "paths", "first_published_at", "last_published_at"),
            empty="No two articles have the same canonical URL.",
        ),
        Section(
            "duplicate_titles",
            "The same title at several addresses",
            "Syndication: one title, several canonical URLs.",
            ("urls", "title", "providers", "provider_names", "first_provider", "first_published_at", "span_hours", "first_url"),
            empty="No title has two addresses.",
        ),
        Section(
            "near_titles",
            "Nearly the same title",
            "Pairs of different addresses whose titles hardly differ, published within a week of each other; 100 = the same"
            " words. Computed for this report: it is no view to query.",
            ("score", "title", "other_title", "provider", "other_provider", "hours_apart", "url", "other_url"),
            empty="No two titles are nearly the same.",
        ),
    ),
)
