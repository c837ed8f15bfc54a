-- One row per pair of topics that at least 3 articles have together: whether they occur together more often than by chance.
-- Ordered by the interval's lower end, so that a pair seen three times does not rank before one seen a hundred times.
--   topic_a: Topic as given, the one that comes first by name
--   topic_b: The other topic
--   articles: Articles with both topics
--   articles_a: Articles with topic_a
--   articles_b: Articles with topic_b
--   of_articles: Denominator: all articles, with and without topics
--   expected_articles: articles_a * articles_b / of_articles: articles with both, were the topics independent of each other
--   lift: articles / expected_articles = P(a and b) / (P(a) P(b)); 1 = as often as by chance (Brin et al. 1997)
--   lift_low: Lower end of the lift's 95 % interval: Wilson's (1927) for articles / of_articles, over P(a) P(b) taken as known
--   lift_high: Upper end of that interval; one that holds 1 shows nothing
--   jaccard: articles / articles with either topic (Jaccard 1901)
--   share_of_a: articles / articles_a
--   share_of_b: articles / articles_b
--   first_day: Earliest day of publication of an article with both (UTC)
--   last_day: Latest day of publication of an article with both (UTC)
with sizes as (select topic, count(*) as articles from topic_facts group by topic having count(*) >= 3),
tagged as (select article_id, topic, articles, day from topic_facts join sizes using (topic) join article_facts using (article_id)),
pairs as (
    select a.topic as topic_a, b.topic as topic_b, count(*) as articles, any_value(a.articles) as articles_a,
           any_value(b.articles) as articles_b, min(a.day) as first_day, max(a.day) as last_day
    from tagged as a
    join tagged as b on a.article_id = b.article_id and a.topic < b.topic
    group by a.topic, b.topic
    having count(*) >= 3),
scaled as (
    select
        topic_a, topic_b, articles, articles_a, articles_b,
        (select count(*) from articles) as of_articles,
        articles_a * articles_b::double / (select count(*) from articles) as expected_articles,
        1.959964::double as z,
        first_day,
        last_day
    from pairs)
select
    topic_a, topic_b, articles, articles_a, articles_b, of_articles, expected_articles,
    articles / expected_articles as lift,
    (articles + z * z / 2 - z * sqrt(articles * (1 - articles / of_articles::double) + z * z / 4))
        / (1 + z * z / of_articles) / expected_articles as lift_low,
    (articles + z * z / 2 + z * sqrt(articles * (1 - articles / of_articles::double) + z * z / 4))
        / (1 + z * z / of_articles) / expected_articles as lift_high,
    articles / (articles_a + articles_b - articles)::double as jaccard,
    articles / articles_a::double as share_of_a,
    articles / articles_b::double as share_of_b,
    first_day,
    last_day
from scaled
order by lift_low desc, topic_a, topic_b
