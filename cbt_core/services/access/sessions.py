"""Signing in and out, sessions, the own passphrase; and what wrong secrets cost.

Wrong secrets cost time: more with each one, never more than a quarter of an hour. Counted three
ways. Code and address together, so that a stranger elsewhere cannot lock a person out; the
address alone, generously, because a whole clinic may share one; the code alone, very generously
and for a minute at most, against guessing from many places. Attempts made while one has to wait
are refused unread and do not lengthen the wait. Only hashes of code and address are kept.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import Conflict, Invalid, NotSaved, Refused
from cbt_core.services import guard
from cbt_core.services.access import passphrases
from cbt_core.settings import Settings
from cbt_core.words import LANGUAGES
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
    misses = sessions.failures(connection, list(keys))
    seconds = max((_wait(misses[key], rule, now) for key, rule in keys.items() if key in misses),
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


TOUCH_EVERY: Final = timedelta(seconds=60)
TOKEN_BYTES: Final = 32
LONGEST_CODE: Final = 40


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a sign-in lasts: unused, and at most."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)

    @staticmethod
    def of(settings: Settings) -> "Lasting":
        """Return what the server's owner has set."""
        return Lasting(
            timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.absolute_hours)
        )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new sign-in: the token goes into the cookie, only its hash is stored."""

    token: str
    person: Person


def normal_code(code: str) -> str:
    """Return a typed code as codes are stored: upper case, without spaces around it."""
    return code.strip().upper()[:LONGEST_CODE]


def sign_in(
    database: Database,
    *,
    code: str,
    secret: str,
    address: str,
    now: datetime,
    lasting: Lasting = Lasting(),
    language: str = "",
) -> SignedIn:
    """Exchange code and secret for a session.

    The answer to an unknown code is that to a wrong secret, after the same work. `language` (`zh`
    or `en`) is kept when the person has not chosen one yet.

    Raises:
        Refused: `access.wrong_secret`, `access.disabled` (only with the right secret) or
            `access.wait` with `retry_seconds`.
        Conflict: the secret was reset between the check and the session.
    """
    keys = keys_of(normal_code(code), address)
    account = account_of(database, normal_code(code), keys, now)
    kind = account.secret_kind if account else "issued"
    stored = account.secret_hash if account else None
    if not passphrases.matches(stored, secret, kind) or account is None:
        failed(database, account, keys, now)
        raise Refused("access.wrong_secret")
    fresh = passphrases.hash_of(secret, kind) if passphrases.is_outdated(stored or "") else None
    with database.writing() as connection:
        _require_unchanged(connection, account)
        clear(connection, keys)
        _settle(connection, account, fresh, language)
        signed_in = _start(connection, account, lasting=lasting, now=now)
    if signed_in is None:
        raise Refused("access.disabled")
    return signed_in


def demonstration_offered(database: Database, *, settings: Settings) -> bool:
    """Tell whether the demonstration's persons may enter without a secret."""
    if not settings.loopback:
        return False
    with database.reading() as connection:
        return people.demonstration_study(connection) is not None


def demonstration_sign_in(
    database: Database, *, role: Role, settings: Settings, now: datetime, language: str = ""
) -> SignedIn:
    """Sign in as the demonstration's rater, annotator or lead, who have no secret.

    Raises:
        Refused: another study exists, or the server can be reached from elsewhere.
    """
    signed_in = None
    with database.writing() as connection:
        study_id = people.demonstration_study(connection) if settings.loopback else None
        account = study_id and people.demonstration_person(connection, study_id, role)
        if account:
            if language in LANGUAGES:
                people.set_language(connection, account.id, language)
            signed_in = _start(connection, account, lasting=Lasting.of(settings), now=now)
    if signed_in is None:
        raise Refused("access.no_demonstration")
    return signed_in


def verified_sign_in(
    database: Database, *, email: str, now: datetime, lasting: Lasting = Lasting()
) -> SignedIn:
    """Start a session for somebody whom the hospital's own sign-in (OIDC) has verified.

    The person must have been invited with this e-mail address; nobody is added by signing in.

    Raises:
        Refused: no active person, or more than one, has this address.
    """
    with database.writing() as connection:
        accounts = [one for one in people.by_email(connection, email) if not one.is_disabled]
        signed_in = None
        if len(accounts) == 1:
            signed_in = _start(connection, accounts[0], lasting=lasting, now=now)
    if signed_in is None:
        raise Refused("access.unknown_account")
    return signed_in


def person_of(database: Database, token: str | None, now: datetime) -> Person | None:
    """Return the person behind a token with the roles held now.

    None when signed out, unused for too long, too old, or the person is disabled.
    """
    if not token:
        return None
    token_hash = _hash(token)
    with database.reading() as connection:
        session = sessions.find(connection, token_hash, now)
    if session is None or now - session.seen_at >= session.idle:
        return None
    if now - session.seen_at > TOUCH_EVERY:
        _touch(database, token_hash, now)
    return session.person


def sign_out(database: Database, token: str | None, now: datetime) -> None:
    """End the session behind a token; nothing happens when there is none."""
    if not token:
        return
    with database.writing() as connection:
        person_id = sessions.end(connection, _hash(token), now)
        account = people.by_id(connection, person_id) if person_id else None
        if account:
            audit.log_access(connection, actor=account.code, action="sign-out", now=now)


def sign_out_everywhere(database: Database, person: Person, now: datetime) -> int:
    """End every session of the person; return how many there were."""
    door = guard.as_anyone(database, person, act="sign_out_everywhere", now=now)
    with door.writing() as connection:
        count = sessions.end_all(connection, person.id, now)
        audit.log_access(connection, actor=person.code, action="sign-out-everywhere", now=now)
    return count


def change_passphrase(
    database: Database,
    person: Person,
    *,
    old: str,
    new: str,
    now: datetime,
    token: str | None = None,
    address: str = "",
) -> None:
    """Replace the secret by an own passphrase; every session but that of `token` ends.

    Raises:
        Invalid: the new passphrase is not good enough.
        Refused: the old secret is wrong (throttled as at sign-in), or there is none to change.
        Conflict: the secret was reset in the meantime.
    """
    door = guard.as_anyone(database, person, act="change_passphrase", now=now)
    keys = keys_of(person.code, address)
    with door.steps():
        account = account_of(database, person.code, keys, now)
        if account is None or account.secret_hash is None:
            raise Refused("access.no_secret")
        passphrases.require_good(new, person.code)
        if not passphrases.matches(account.secret_hash, old, account.secret_kind):
            failed(database, account, keys, now)
            raise Refused("access.wrong_secret")
    fresh = passphrases.hash_of(new, "own")
    with door.writing() as connection:
        _require_unchanged(connection, account)
        people.set_secret(connection, account.id, secret_hash=fresh, kind="own")
        clear(connection, keys)
        sessions.end_all(connection, account.id, now, but=_hash(token) if token else "")
        audit.append(
            connection, study_id=None, actor=person.code, action="person.passphrase",
            payload={"person": person.code}, now=now,
        )


def set_language(
    database: Database, person: Person, *, language: str, now: datetime
) -> None:
    """Keep the interface language the person chose.

    Raises:
        Invalid: it is not `zh` or `en`.
    """
    if language not in LANGUAGES:
        raise Invalid("access.unknown_language")
    door = guard.as_anyone(database, person, act="set_language", now=now)
    with door.writing() as connection:
        people.set_language(connection, person.id, language)


def _require_unchanged(connection: Connection, account: Account) -> None:
    """Refuse a secret that was replaced while it was being checked (outside any transaction)."""
    newest = people.by_id(connection, account.id)
    if newest is None or newest.secret_hash != account.secret_hash:
        raise Conflict("access.secret_changed")


def _settle(connection: Connection, account: Account, fresh: str | None, language: str) -> None:
    if fresh:
        people.set_secret(
            connection, account.id, secret_hash=fresh, kind=account.secret_kind
        )
    if not account.language and language in LANGUAGES:
        people.set_language(connection, account.id, language)


def _start(
    connection: Connection, account: Account, *, lasting: Lasting, now: datetime
) -> SignedIn | None:
    """Start a session, unless the person was disabled (perhaps since the secret was checked)."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    sessions.start(
        connection, token_hash=_hash(token), person_id=account.id,
        idle=lasting.idle, absolute=lasting.absolute, now=now,
    )
    session = sessions.find(connection, _hash(token), now)
    log(connection, account, "sign-in" if session else "sign-in:disabled", now)
    if session is None:
        sessions.end(connection, _hash(token), now)
        return None
    return SignedIn(token, session.person)


def _touch(database: Database, token_hash: str, now: datetime) -> None:
    try:
        with database.writing() as connection:
            sessions.touch(connection, token_hash, now)
    except NotSaved:  # reading on must work while nothing can be written
        return


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
