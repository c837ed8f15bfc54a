"""URLs: the canonical form of an address, and whether two addresses are one page."""

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit, urlunsplit

TRACKING = re.compile(
    r"utm_\w+|ns_\w+|at_(?:medium|campaign|custom\d)|(?:fb|g|d|msclk|y|tw|tt)clid|msclkid|gclsrc"
    r"|gbraid|wbraid|igshid|igsh|mc_[ce]id|mkt_tok|_hs(?:enc|mi)|vero_(?:id|conv)|oly_(?:anon|enc)_id"
    r"|guccounter|guce_referrer(?:_sig)?|ref_src|ref_url|s_cid|cmpid|icid|ncid|ito|spm|sr_share|__twitter_impression",
    re.IGNORECASE,
)
"""Query parameters that say where a reader came from and nothing about the page."""
_AMP_PARAMETER = re.compile(
    r"(?:_?amp|amphtml|amp_js_v|amp_gsa|usqp|outputType=amp)", re.IGNORECASE
)
_AMP_HOST = re.compile(r"^amp[.-]|\.amp\.")
_AMP_PATH = re.compile(r"(?:/platform)?/amp(?=/|$)|(?<=/)amp-(?=\w+/)|\.amp(?=$|\.html$)")
_CACHE_HOST = re.compile(r"\.cdn\.ampproject\.org$|^cdn\.ampproject\.org$|\.bing-amp\.com$")
_CANONICAL = re.compile(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[\w.~%:@!$'()*+,;=-]*)*")


@lru_cache(maxsize=8192)
def canonical_url(url: str, wrappings: int = 0) -> str | None:
    """Return a URL without default port, fragment, tracking and AMP, by https.

    None for anything but a web address.
    AMP cache: https://developers.google.com/amp/cache/amp-cache-urls
    """
    if _CANONICAL.fullmatch(url) and "amp" not in url:
        return url
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or "." not in host or wrappings > 3:
        return None
    if _CACHE_HOST.search(host):
        wrapped = re.match(r"/(?:[a-z]/)?(?:s/)?(.+)", parts.path)
        if wrapped is None:
            return None
        query = f"?{parts.query}" if parts.query else ""
        return canonical_url(f"https://{unquote(wrapped[1])}{query}", wrappings + 1)
    if re.fullmatch(r"(?:www\.)?google\.[a-z.]+", host) and parts.path.startswith("/amp/"):
        return canonical_url("https://" + parts.path[5:].removeprefix("s/"), wrappings + 1)
    host = _AMP_HOST.sub(lambda match: "www." if match[0].startswith("amp") else ".", host)
    path = _AMP_PATH.sub("", parts.path) if "amp" in parts.path else parts.path
    query = "&".join(item for item in parts.query.split("&") if item and not _is_noise(item))
    netloc = host if port in (None, 80, 443) else f"{host}:{port}"
    return urlunsplit(("https", netloc, path or "/", query, ""))


def _is_noise(item: str) -> bool:
    name = item.partition("=")[0]
    return bool(
        TRACKING.fullmatch(name) or _AMP_PARAMETER.fullmatch(name) or _AMP_PARAMETER.fullmatch(item)
    )


def same_page(one: str, other: str, *, amp: bool) -> bool:
    """Return whether two canonical URLs name one page.

    The AMP version may lie in another folder of the same host; its last path segment stays.
    """
    if one == other or comparable(one) == comparable(other):
        return True
    host, _, path = comparable(one).partition("/")
    other_host, _, other_path = comparable(other).partition("/")
    segment, other_segment = path.rpartition("/")[2], other_path.rpartition("/")[2]
    return amp and host == other_host and segment == other_segment != ""


def comparable(url: str) -> str:
    """Return a canonical URL without scheme, `www.`, `m.` and the last slash."""
    host, slash, path = url[8:].partition("/")
    return re.sub(r"^(?:www|m|mobile)\.", "", host) + slash + path.rstrip("/")
