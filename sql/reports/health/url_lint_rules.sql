-- One row per rule for URLs: how many articles and related items break it; also rules that none breaks.
--   articles: Articles whose own URLs break it
--   of_articles: Denominator: all articles
--   related_items: Related items whose URLs break it
--   of_related_items: Denominator: all related items
--   related_share: related_items / of_related_items
with rules as (
    select rule, meaning
    from (values
        ('domain_mismatch', 'The canonical URL is not on the registered domain of the provider'),
        ('no_url', 'No URL is given, or none is usable'),
        ('relative', 'originalUrl or webUrl has no scheme'),
        ('http', 'originalUrl or webUrl is not encrypted: http://'),
        ('tracking', 'originalUrl or webUrl says where the reader came from: utm_source, fbclid, ...'),
        ('amp_as_original', 'originalUrl or webUrl is an AMP address'),
        ('amp_without_original', 'An AMP address is given, and neither originalUrl nor webUrl'),
        ('amp_other_host', 'ampWebUrl is neither on the registered domain of the provider nor, without one, on the host of the URL')
    ) as named (rule, meaning)),
counted as (
    select
        rule,
        count(distinct article_id) filter (position = 0) as articles,
        count(distinct (article_id, position)) filter (position > 0) as related_items
    from url_defects
    group by rule),
totals as (select (select count(*) from articles) as of_articles, (select count(*) from related) as of_related_items)
select
    rule,
    meaning,
    coalesce(articles, 0) as articles,
    of_articles,
    coalesce(articles, 0) / nullif(of_articles, 0)::double as share,
    coalesce(related_items, 0) as related_items,
    of_related_items,
    coalesce(related_items, 0) / nullif(of_related_items, 0)::double as related_share
from rules
left join counted using (rule)
cross join totals
order by articles desc, related_items desc, rule
