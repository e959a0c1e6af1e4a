"""One canonical JSON, and its digest."""

import json
from hashlib import sha256


def digest_of(*parts: object) -> str:
    """Return the SHA-256 of what was sent, so that a repeated token can be compared."""
    body = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
