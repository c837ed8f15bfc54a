-- One row per title that articles of several URLs share: syndication, or one text under several addresses.
-- Several providers with one excerpt within days are syndication; short titles of videos are often equal by chance, years apart.
--   title: Title of the earliest published, as given
--   urls: Distinct URLs with that title (an article without URL counts as one): the size of the syndication
--   articles: Articles with that title
--   of_articles: Denominator: all articles whose title can be compared
--   provider_names: First 10 of their names, in order of the alphabet
--   without_provider: Articles that name no provider, so they count for none
--   excerpts: Distinct excerpts, compared in the first 60 characters of their lower case; 1 of several articles speaks for one text
--   with_excerpt: Denominator of excerpts: articles that have one
--   types: Distinct forms of content, such as article or video
--   shown: Articles that the site shows
--   first_provider: Outlet of the earliest published
--   first_url: Its URL
--   url_list: First 10 URLs in order
--   first_published_at: Earliest publication [UTC]
--   last_published_at: Latest publication [UTC]
--   span_hours: Hours between the two
select
    title_key,
    arg_min(title, (coalesce(published_at, timestamptz '9999-01-01 00:00:00+00'), article_id)) as title,
    count(distinct member_id) as urls,
    count(*) as articles,
    (select count(*) from title_keys) as of_articles,
    count(distinct provider_id) as providers,
    coalesce(list_sort(list(distinct provider) filter (provider is not null)), [])[:10] as provider_names,
    count(*) filter (provider_id is null) as without_provider,
    count(distinct lower(left(excerpt, 60))) as excerpts,
    count(excerpt) as with_excerpt,
    coalesce(list_sort(list(distinct type) filter (type is not null)), []) as types,
    count(*) filter (is_published) as shown,
    arg_min({'provider': provider}, (published_at, article_id)) filter (published_at is not null).provider as first_provider,
    arg_min({'url': url}, (published_at, article_id)) filter (published_at is not null).url as first_url,
    coalesce(list_sort(list(distinct url) filter (url is not null)), [])[:10] as url_list,
    min(published_at) as first_published_at,
    max(published_at) as last_published_at,
    (epoch_us(max(published_at)) - epoch_us(min(published_at))) / 3600000000::double as span_hours
from title_keys
join article_facts using (article_id)
join (select article_id, excerpt from articles) using (article_id)
group by title_key
having count(distinct member_id) > 1
order by urls desc, articles desc, title_key
