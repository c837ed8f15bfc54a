-- One row per article with a title that has letters or digits: the title in the form in which titles are compared.
-- Accents go only where all letters are Latin or Greek: in other scripts a mark is a vowel or makes another letter.
--   member_id: Canonical URL; article_id where the article has none: articles with the same one are versions of one page
--   title_key: Title in Unicode form C, lower case, accents off; other than letters, marks, digits: one blank; not empty
select article_id, member_id, title_key
from (
    select
        article_id,
        coalesce(url, article_id) as member_id,
        trim(regexp_replace(
            lower(case
                when regexp_full_match(title, '[\p{Latin}\p{Greek}\p{Common}\p{Inherited}]*')
                then strip_accents(nfc_normalize(title))
                else nfc_normalize(title) end),
            '[^\p{L}\p{M}\p{N}]+', ' ', 'g')) as title_key
    from articles)
where title_key <> ''
