-- One row per article or related item, URL and rule that the URL breaks.
--   rule: domain_mismatch, http, tracking, amp_as_original, amp_without_original, amp_other_host, relative or no_url
--   position: Place of the related item in its list, from 1; 0 for the article itself
--   provider_id: Provider of the article or item, see providers
--   field: Key in the front matter; url = the canonical URL; null where no URL is usable
--   url: Address as given, or the canonical URL
--   detail: What stands against it: the domain, the parameter, the host
with items as (
    select article_id, 0::bigint as position, provider_id, url, original_url, web_url, amp_url, cdn_amp_url
    from articles
    union all
    select article_id, position, provider_id, url, original_url, web_url, amp_url, cdn_amp_url
    from related),
known as (
    select items.*, registered_domain, split_part(split_part(url, '/', 3), ':', 1) as host
    from items
    left join providers using (provider_id)),
given as (
    select
        article_id,
        position,
        provider_id,
        unnest(['originalUrl', 'webUrl']) as field,
        unnest([original_url, case when web_url is distinct from original_url then web_url end]) as url
    from known
    where original_url is not null or web_url is not null),
split as (
    select
        article_id, position, provider_id, field, url,
        lower(split_part(url, '?', 1)) as page,
        case when contains(url, '?') then regexp_extract(url, '(?i)[?&](utm_\w+|ns_\w+|at_(?:medium|campaign|custom\d)'
            || '|(?:fb|g|d|msclk|y|tw|tt)clid|msclkid|gclsrc|gbraid|wbraid|igshid|igsh|mc_[ce]id|mkt_tok|_hs(?:enc|mi)'
            || '|vero_(?:id|conv)|oly_(?:anon|enc)_id|guccounter|guce_referrer(?:_sig)?|ref_src|ref_url|s_cid|cmpid|icid|ncid'
            || '|ito|spm|sr_share|__twitter_impression)(?:[=&#]|$)', 1) else '' end as parameter
    from given
    where url is not null),
amp as (
    select article_id, position, provider_id, host, amp_url as url,
           regexp_extract(lower(amp_url), '^https?://([^/?#:]+)', 1) as amp_host,
           coalesce(registered_domain, regexp_replace(host, '^www\.', '')) as domain
    from known
    where amp_url is not null and url is not null)
select 'domain_mismatch' as rule, article_id, position, provider_id, 'url' as field, url, registered_domain as detail
from known
where host <> registered_domain and not ends_with(host, '.' || registered_domain)
union all
select 'http', article_id, position, provider_id, field, url, null
from split
where starts_with(page, 'http://')
union all
select 'tracking', article_id, position, provider_id, field, url, parameter
from split
where parameter <> ''
union all
select 'amp_as_original', article_id, position, provider_id, field, url, regexp_extract(page, '^https?://([^/?#:]+)', 1)
from split
where contains(page, 'amp') and regexp_matches(page, '^https?://(?:amp[.-]|[^/]*\.amp\.|(?:[^/]*\.)?cdn\.ampproject\.org(?:/|$)'
    || '|[^/]*\.bing-amp\.com(?:/|$)|(?:www\.)?google\.[a-z.]+/amp/|.*/amp(?:/|$)|.*/amp-\w+/|.*\.amp(?:\.html)?$)')
union all
select 'relative', article_id, position, provider_id, field, url, null
from split
where not regexp_matches(page, '^\s*[a-z][a-z0-9+.-]*:')
union all
select 'amp_without_original', article_id, position, provider_id,
       case when amp_url is null then 'cdnAmpWebUrl' else 'ampWebUrl' end, coalesce(amp_url, cdn_amp_url), null
from known
where original_url is null and web_url is null and coalesce(amp_url, cdn_amp_url) is not null
union all
select 'amp_other_host', article_id, position, provider_id, 'ampWebUrl', url, host
from amp
where amp_host <> '' and amp_host <> domain and not ends_with(amp_host, '.' || domain)
union all
select 'no_url', article_id, position, provider_id, null, coalesce(original_url, web_url, amp_url, cdn_amp_url),
       case when coalesce(original_url, web_url, amp_url, cdn_amp_url) is null then 'none given' else 'none usable' end
from known
where url is null
