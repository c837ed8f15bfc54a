-- One row per canonical URL that several articles have: files that say the same page.
--   articles: Articles that have it
--   shown: Those that the site shows; more than one is a page that readers meet twice
--   of_articles: Denominator: all articles with a URL
--   titles: Distinct titles among them; more than one is a page that was retitled, or a wrong URL
--   title: Title of the earliest published
--   other_titles: First 10 of the other titles, in order of the alphabet
--   collections: Distinct collections
--   paths: First 10 paths in order
--   first_published_at: Earliest publication among them [UTC]
--   last_published_at: Latest publication among them [UTC]
with chosen as (
    select url, arg_min(title, (coalesce(published_at, timestamptz '9999-01-01 00:00:00+00'), article_id)) as title
    from articles
    where url is not null
    group by url
    having count(*) > 1)
select
    url,
    count(*) as articles,
    count(*) filter (published) as shown,
    (select count(url) from articles) as of_articles,
    count(distinct articles.title) as titles,
    chosen.title as title,
    coalesce(list_sort(list(distinct articles.title) filter (articles.title <> chosen.title)), [])[:10] as other_titles,
    coalesce(list_sort(list(distinct collection) filter (collection is not null)), []) as collections,
    list_sort(list(path))[:10] as paths,
    min(published_at) as first_published_at,
    max(published_at) as last_published_at
from articles
join chosen using (url)
group by url, chosen.title
order by shown > 1 desc, articles desc, url
