"""One canonical JSON, and its digest: the same content, the same bytes.

Keys sorted, no white space, UTF-8: comments, order of keys and layout of a file do not count.
"""

import json
from hashlib import sha256


def canonical(content: object) -> str:
    """Return content as JSON with sorted keys and no spaces; other than ASCII stands as it is."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(content: object) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of content as canonical JSON.

    Half a surrogate pair, which a browser or a JSON file may hold, has a digest as well.
    """
    return sha256(canonical(content).encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(*parts: object) -> str:
    """Return the digest of several things together, so that a repeated press can be compared."""
    return digest(parts)
