"""Times in front matter: ISO 8601, YAML timestamps, and the edges of what a table holds."""

import datetime as dt
import re

from pipeline.schema.documents import Article


def reaches_the_edge_of_time(article: Article) -> bool:
    """Return whether a time of an article or a related item may lie outside the years 1 to 9999."""
    if at_the_edge_of_time(article.published_at) or at_the_edge_of_time(article.updated_at):
        return True
    return article.related is not None and any(
        at_the_edge_of_time(item.published_at) for item in article.related
    )


def at_the_edge_of_time(moment: dt.datetime | None) -> bool:
    """Return whether a time with an offset may lie outside the years 1 to 9999 in UTC."""
    return moment is not None and moment.year in (1, 9999)


def parse_moment(text: str) -> dt.datetime | None:
    """Parse an ISO 8601 or YAML timestamp; None for anything else and impossible days."""
    iso = re.sub(r"\s+(?=[+-]\d|Z$)", "", text.strip().replace("z", "Z").replace("t", "T"))
    if re.search(r"\d:\d", iso):
        iso = re.sub(r"([+-])(\d)(?=$|:)", r"\g<1>0\2", iso)
    if not re.match(r"\d{4}-\d{1,2}-\d{1,2}", iso):
        return None
    iso = re.sub(r"^(\d{4})-(\d)(?=-)", r"\1-0\2", iso)
    iso = re.sub(r"^(\d{4}-\d\d)-(\d)(?!\d)", r"\1-0\2", iso)
    try:
        moment = dt.datetime.fromisoformat(iso)
        return moment if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
