"""Secrets: how they are made, compared and judged. None is ever stored or logged in clear."""

import secrets
import threading
import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cbt_core.errors import Invalid

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U; what is read as one of them is understood all the same."""

GROUPS: Final = 4
GROUP_LENGTH: Final = 4
"""4 groups of 4 characters of 5 bits each: 80 bits."""

SHORTEST: Final = 8
LONGEST: Final = 128
SHORTEST_CODE_LOOKED_FOR: Final = 3  # a code of one letter is part of nearly every passphrase

_READ_AS: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)  # OWASP's minimum
_AT_ONCE: Final = threading.BoundedSemaphore(2)  # or sign-ins starve the people at work
_COMMON: Final = Path(__file__).parent / "common_passphrases.txt"
_ROWS: Final = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def issue() -> str:
    """Return a new secret in readable groups, e.g. ``7KQ4-M2XD-9RTB-E5HN``."""
    drawn = ["".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS)]
    return "-".join(drawn)


def canonical(secret: str, kind: str) -> str:
    """Return the form of a typed secret that is compared.

    Full-width letters of a Chinese keyboard count as plain ones. In an issued secret (`kind`
    ``issued``) case, spaces and hyphens do not matter and O, I, L are read as 0, 1, 1; of an own
    one nothing else is changed.
    """
    plain = unicodedata.normalize("NFKC", secret)
    if kind == "own":
        return plain
    return "".join(c for c in plain.upper().translate(_READ_AS) if c in ALPHABET)


def hash_of(secret: str, kind: str) -> str:
    """Return the argon2id hash of a secret (about 0.1 s: never inside a write)."""
    with _AT_ONCE:
        return _HASHER.hash(canonical(secret, kind))


def matches(stored: str | None, secret: str, kind: str) -> bool:
    """Tell whether a secret fits a hash; without a hash the same work is done for nothing."""
    against = stored or _nobody()
    with _AT_ONCE:
        try:
            _HASHER.verify(against, canonical(secret[: LONGEST * 2], kind))
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def require_good(passphrase: str, code: str) -> None:
    """Judge a passphrase somebody chose: length, the code in it, well-known ones.

    Raises:
        Invalid: it is too short or long, contains the code, or is easily guessed.
    """
    if len(passphrase) > LONGEST:
        raise Invalid("access.passphrase_long", most=LONGEST)
    chosen = canonical(passphrase, "own")
    if len(chosen) < SHORTEST:
        raise Invalid("access.passphrase_short", least=SHORTEST)
    plain, own_code = chosen.casefold(), code.casefold()
    if plain == own_code or (len(own_code) >= SHORTEST_CODE_LOOKED_FOR and own_code in plain):
        raise Invalid("access.passphrase_has_code")
    if _is_common(plain):
        raise Invalid("access.passphrase_common")


def _is_common(plain: str) -> bool:
    if plain in _common() or len(set(plain)) < 4:
        return True
    return any(plain in row * 2 or plain[::-1] in row * 2 for row in _ROWS)


@cache
def _common() -> frozenset[str]:
    return frozenset(_COMMON.read_text("utf-8").split())


@cache
def _nobody() -> str:
    """Return a hash nothing fits: an unknown code costs what a wrong secret costs."""
    return _HASHER.hash(secrets.token_hex(16))
