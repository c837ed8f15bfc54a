"""Single values: identities, slugs, lengths of `secured`."""

import binascii
import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b


def identity(*parts: str | None) -> str:
    """Return BLAKE2b of the parts, 16 hexadecimal characters; None and empty text differ."""
    key = "\0".join("\1" if part is None else part for part in parts)
    return blake2b(key.encode(), digest_size=8).hexdigest()


@lru_cache(maxsize=8192)
def provider_id(name: str | None, domain: str | None) -> str | None:
    """Return the identity of a provider; None without name and domain."""
    return None if name is None and domain is None else identity(name, domain)


@lru_cache(maxsize=8192)
def topic_id(topic: str | None) -> str | None:
    """Return the identity of a topic; None for a null topic."""
    return None if topic is None else identity(topic)


def slug(text: str) -> str:
    """Return lower-case letters and digits of any script, with single hyphens between words."""
    lower = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[\W_]+", "-", lower).strip("-")


def secured_lengths(secured: str) -> tuple[int | None, int | None]:
    """Return the decoded bytes of ciphertext and initialisation vector; None if not base64."""
    data, _, vector = secured.partition(";")
    return _decoded_length(data), _decoded_length(vector) if vector else None


def _decoded_length(text: str) -> int | None:
    try:
        return len(binascii.a2b_base64(text, strict_mode=True))
    except (binascii.Error, ValueError):
        return None
