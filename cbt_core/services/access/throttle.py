"""Wrong secrets cost time: more with each one, never more than a quarter of an hour.

Counted three ways. Code and address together, so that a stranger elsewhere cannot lock a person
out; the address alone, generously, because a whole clinic may share one; the code alone, very
generously and for a minute at most, against guessing from many places. Attempts made while one has
to wait are refused unread and do not lengthen the wait. Only hashes of code and address are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import Final

from cbt_core.errors import Refused
from db import audit, people, sessions
from db.engine import Connection, Database
from db.people import Account
from db.sessions import Failures

FIRST_SECONDS: Final = 5
FORGET: Final = timedelta(hours=1)
"""Failures older than this no longer count."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How many failures are free and how long, in seconds, the wait may grow."""

    free: int
    longest: int


Keys = Mapping[str, Rule]

PAIR: Final = Rule(free=5, longest=900)
ADDRESS: Final = Rule(free=20, longest=900)
CODE: Final = Rule(free=50, longest=60)


def keys_of(code: str, address: str) -> Keys:
    """Return the keys under which an attempt counts; an empty address is nobody's in particular."""
    keys = {_key("pair", code, address): PAIR, _key("code", code): CODE}
    if address:
        keys[_key("address", address)] = ADDRESS
    return keys


def require_patience(
    connection: Connection, keys: Keys, now: datetime
) -> None:
    """Refuse while any of the keys has to wait.

    Raises:
        Refused: `access.wait` with `retry_seconds`.
    """
    found = sessions.failures(connection, list(keys))
    seconds = max((_wait(found[key], rule, now) for key, rule in keys.items() if key in found),
                  default=0)
    if seconds > 0:
        raise Refused("access.wait", retry_seconds=seconds)


def account_of(database: Database, code: str, keys: Keys, now: datetime) -> Account | None:
    """Return the person of a code, None for an unknown one, unless the caller has to wait.

    Raises:
        Refused: `access.wait` with `retry_seconds`; the attempt is logged.
    """
    with database.reading() as connection:
        account = people.by_code(connection, code)
        try:
            require_patience(connection, keys, now)
        except Refused as refusal:
            waiting = refusal
        else:
            return account
    with database.writing() as connection:
        log(connection, account, "sign-in:wait", now)
    raise waiting


def failed(database: Database, account: Account | None, keys: Keys, now: datetime) -> None:
    """Count and log a wrong secret."""
    with database.writing() as connection:
        sessions.note_failure(connection, list(keys), forget=FORGET, now=now)
        log(connection, account, "sign-in:wrong", now)


def log(connection: Connection, account: Account | None, action: str, now: datetime) -> None:
    """Log an attempt. An unknown code is not repeated: it may be a secret in the wrong field."""
    actor = account.code if account else "unknown"
    audit.log_access(connection, actor=actor, action=action, now=now)


def clear(connection: Connection, keys: Keys) -> None:
    """Forget the failures of code and address; those of the address alone stay."""
    sessions.clear_failures(connection, [key for key, rule in keys.items() if rule is not ADDRESS])


def _wait(failures: Failures, rule: Rule, now: datetime) -> int:
    beyond = failures.count - rule.free
    if beyond < 0 or now - failures.last_at > FORGET:
        return 0
    delay = min(FIRST_SECONDS << min(beyond, 10), rule.longest)
    return ceil(delay - (now - failures.last_at).total_seconds())


def _key(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()
