"""Signing in: who gets in, for how long, and what a wrong secret costs."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from statistics import median

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event, select, text, update

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.errors import Conflict, Invalid, NotSaved, Refused
from cbt_core.services.access import passphrases, sessions
from cbt_core.services.people import roster
from cbt_core.settings import Settings
from db import people as stored
from db.columns import metadata
from db.engine import Database
from db.tables.people import person, session
from db.tables.trail import access_log
from tests.services.peopled import NOW, enter, new_person, new_study

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def fail(
    database: Database, code: str, times: int, *, address: str = "", now: datetime = NOW
) -> None:
    for _ in range(times):
        with pytest.raises(Refused, match="not right"):
            enter(database, code, "wrong", address=address, now=now)


def waiting(database: Database, code: str, *, address: str = "", now: datetime = NOW) -> int:
    with pytest.raises(Refused) as refusal:
        enter(database, code, "wrong", address=address, now=now)
    assert refusal.value.code == "access.wait"
    return int(str(refusal.value.values["retry_seconds"]))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use cheap hashes where a test signs in dozens of times and times nothing."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passphrases, "_HASHER", cheap)
    passphrases._nobody.cache_clear()


# --- secrets ----------------------------------------------------------------------------------
def test_an_issued_secret_has_eighty_bits_in_readable_groups() -> None:
    groups = passphrases.issue().split("-")
    assert [len(group) for group in groups] == [4, 4, 4, 4]
    assert len(passphrases.ALPHABET) == 32
    assert not set("ILOU") & set(passphrases.ALPHABET)


def test_a_secret_is_hashed_with_argon2id_at_the_minimum_of_owasp() -> None:
    assert passphrases.hash_of("x", "issued").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_issued_secret_is_read_as_people_type_it(database: Database) -> None:
    secret = new_person(database, "R01")
    full_width = "".join(chr(ord(c) + 0xFEE0) if c != "-" else " " for c in secret.lower())
    typed = secret.replace("0", "O").replace("1", "l")
    for form in (secret.replace("-", ""), full_width, typed):
        assert enter(database, " r01 ", form).person.code == "R01"


def test_only_hashes_of_secret_and_token_are_stored(database: Database) -> None:
    secret = new_person(database, "R01")
    token = enter(database, "R01", secret).token
    with database.reading() as connection:
        everything = "\n".join(
            str(tuple(row)) for table in metadata.sorted_tables
            for row in connection.execute(select(table))
        )
    assert token not in everything
    assert secret not in everything
    assert secret.replace("-", "") not in everything


# --- sessions ---------------------------------------------------------------------------------
def test_a_token_has_at_least_128_bits_and_is_new_at_every_sign_in(database: Database) -> None:
    secret = new_person(database, "R01")
    tokens = {enter(database, "R01", secret).token for _ in range(3)}
    assert len(tokens) == 3
    assert min(len(token) for token in tokens) >= 43  # 32 bytes in base 64


def test_a_person_comes_with_the_roles_held_now(database: Database) -> None:
    first, second = new_study(database, "one"), new_study(database, "two")
    secret = new_person(database, "R01", study_id=first)
    roster.add_person(
        database, TERMINAL, code="R01", role=Role.LEAD, study_id=second, now=NOW
    )
    token = enter(database, "R01", secret).token
    found = sessions.person_of(database, token, NOW)
    assert found is not None
    assert found.roles == {first: {Role.RATER}, second: {Role.LEAD}}
    roster.leave_study(
        database, TERMINAL, code="R01", role=Role.LEAD, study_id=second, now=NOW
    )
    found = sessions.person_of(database, token, NOW)
    assert found is not None
    assert found.roles == {first: {Role.RATER}}


def test_a_session_unused_for_thirty_minutes_is_over(database: Database) -> None:
    token = enter(database, "R01", new_person(database, "R01")).token
    assert sessions.person_of(database, token, NOW + 29 * MINUTE) is not None
    assert sessions.person_of(database, token, NOW + 58 * MINUTE) is not None
    assert sessions.person_of(database, token, NOW + 88 * MINUTE) is None


def test_a_session_in_use_is_over_after_twelve_hours(database: Database) -> None:
    token = enter(database, "R01", new_person(database, "R01")).token
    for minutes in range(20, 12 * 60, 20):
        assert sessions.person_of(database, token, NOW + minutes * MINUTE) is not None
    assert sessions.person_of(database, token, NOW + 12 * HOUR) is None


def test_the_owner_sets_how_long_a_session_lasts(database: Database) -> None:
    settings = Settings(database="", idle_minutes=5, absolute_hours=1)
    secret = new_person(database, "R01")
    token = sessions.sign_in(
        database, code="R01", secret=secret, address="", now=NOW,
        lasting=sessions.Lasting.of(settings),
    ).token
    assert sessions.person_of(database, token, NOW + 4 * MINUTE) is not None
    assert sessions.person_of(database, token, NOW + 9 * MINUTE) is None


def test_use_is_noted_at_most_once_a_minute(database: Database) -> None:
    token = enter(database, "R01", new_person(database, "R01")).token
    seen = set()
    for seconds in (10, 59, 61, 100, 120):
        sessions.person_of(database, token, NOW + timedelta(seconds=seconds))
        with database.reading() as connection:
            seen.add(connection.execute(select(session.c.seen_at)).scalar_one())
    assert len(seen) == 2  # at the sign-in and after 61 s; the next would be after 122 s


def test_signing_out_ends_this_session_only(database: Database) -> None:
    secret = new_person(database, "R01")
    here, there = (enter(database, "R01", secret).token for _ in range(2))
    sessions.sign_out(database, here, NOW)
    assert sessions.person_of(database, here, NOW) is None
    assert sessions.person_of(database, there, NOW) is not None


def test_signing_out_everywhere_ends_all(database: Database) -> None:
    secret = new_person(database, "R01")
    tokens = [enter(database, "R01", secret).token for _ in range(2)]
    found = sessions.person_of(database, tokens[0], NOW)
    assert found is not None
    assert sessions.sign_out_everywhere(database, found, NOW) == 2
    assert [sessions.person_of(database, token, NOW) for token in tokens] == [None, None]


@pytest.mark.parametrize("act", [roster.disable, roster.reset, roster.forget])
def test_disabling_resetting_and_forgetting_end_all_sessions(
    database: Database, act: Callable[..., object]
) -> None:
    token = enter(database, "R01", new_person(database, "R01")).token
    act(database, TERMINAL, code="R01", now=NOW)
    assert sessions.person_of(database, token, NOW) is None


@pytest.mark.parametrize("token", [None, "", "x", "'; --", "0" * 64, "密"])
def test_a_made_up_token_is_nobody(database: Database, token: str | None) -> None:
    assert sessions.person_of(database, token, NOW) is None


def test_the_stored_hash_is_no_token(database: Database) -> None:
    enter(database, "R01", new_person(database, "R01"))
    with database.reading() as connection:
        stored_hash = connection.execute(select(session.c.token_hash)).scalar_one()
    assert sessions.person_of(database, stored_hash, NOW) is None


def test_reading_goes_on_while_nothing_can_be_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = enter(database, "R01", new_person(database, "R01")).token

    def full(_scope: int = 0) -> None:
        raise NotSaved("storage.full")

    monkeypatch.setattr(database, "writing", full)
    assert sessions.person_of(database, token, NOW + 2 * MINUTE) is not None


# --- refusals ---------------------------------------------------------------------------------
def test_an_unknown_code_and_a_wrong_secret_get_the_same_answer(database: Database) -> None:
    new_person(database, "R01")
    said = []
    for code in ("R01", "R99"):
        with pytest.raises(Refused) as refusal:
            enter(database, code, "wrong")
        said.append(str(refusal.value))
    assert said[0] == said[1]


def test_an_unknown_code_takes_as_long_as_a_wrong_secret(database: Database) -> None:
    for number in range(3):
        new_person(database, f"R{number}")
    seconds: dict[str, list[float]] = {"R": [], "X": []}
    for number in range(3):
        for kind, spent in seconds.items():
            began = time.process_time()
            fail(database, f"{kind}{number}", 1)
            spent.append(time.process_time() - began)
    assert median(seconds["X"]) == pytest.approx(median(seconds["R"]), rel=0.5)


def test_a_disabled_person_learns_it_only_with_the_right_secret(database: Database) -> None:
    secret = new_person(database, "R01")
    roster.disable(database, TERMINAL, code="R01", now=NOW)
    fail(database, "R01", 1)
    with pytest.raises(Refused, match="closed"):
        enter(database, "R01", secret)


def test_a_person_without_a_secret_cannot_be_entered_by_one(database: Database) -> None:
    with database.writing() as connection:
        stored.add(connection, code="DEMO-R", secret_hash=None, demonstration=True, now=NOW)
    for secret in ("", "None", "DEMO-R"):
        with pytest.raises(Refused, match="not right"):
            enter(database, "DEMO-R", secret)


def test_an_attempt_is_logged_without_what_was_typed(database: Database) -> None:
    secret = new_person(database, "R01")
    fail(database, "R01", 1)
    with pytest.raises(Refused):
        enter(database, secret, "R01")  # typed into the wrong field
    enter(database, "R01", secret)
    with database.reading() as connection:
        log = [(row.actor, row.action) for row in connection.execute(select(access_log))]
    assert log == [("R01", "sign-in:wrong"), ("unknown", "sign-in:wrong"), ("R01", "sign-in")]


def test_a_secret_reset_while_it_is_checked_lets_nobody_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = new_person(database, "R01")
    real = passphrases.matches

    def slow(*arguments: str) -> bool:
        fits = real(*arguments)
        roster.reset(database, TERMINAL, code="R01", now=NOW)
        return fits

    monkeypatch.setattr(passphrases, "matches", slow)
    with pytest.raises(Conflict):
        enter(database, "R01", secret)


def test_a_hash_with_other_parameters_is_renewed_at_sign_in(database: Database) -> None:
    secret = new_person(database, "R01")
    old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    weak = old.hash(passphrases.canonical(secret, "issued"))
    with database.writing() as connection:
        connection.execute(update(person).values(secret_hash=weak))
    enter(database, "R01", secret)
    with database.reading() as connection:
        account = stored.by_code(connection, "R01")
    assert account is not None
    assert account.secret_hash is not None
    assert "m=19456,t=2,p=1" in account.secret_hash
    enter(database, "R01", secret)


# --- throttling -------------------------------------------------------------------------------
@pytest.mark.usefixtures("quick")
def test_five_wrong_secrets_are_free_then_the_wait_grows(database: Database) -> None:
    new_person(database, "R01")
    now, waits = NOW, []
    fail(database, "R01", 5, now=now)
    for _ in range(9):
        waits.append(waiting(database, "R01", now=now))
        now += timedelta(seconds=waits[-1])
        fail(database, "R01", 1, now=now)
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900]


@pytest.mark.usefixtures("quick")
def test_the_right_person_is_never_kept_out_longer_than_a_quarter_of_an_hour(
    database: Database,
) -> None:
    secret = new_person(database, "R01")
    now = NOW
    fail(database, "R01", 5, now=now)
    for _ in range(12):
        now += timedelta(seconds=waiting(database, "R01", now=now))
        fail(database, "R01", 1, now=now)
    for minutes in range(14):  # tries made while waiting do not lengthen the wait
        waiting(database, "R01", now=now + minutes * MINUTE)
    assert enter(database, "R01", secret, now=now + 15 * MINUTE).person.code == "R01"


@pytest.mark.usefixtures("quick")
def test_a_stranger_elsewhere_cannot_lock_a_person_out(database: Database) -> None:
    secret = new_person(database, "R01")
    fail(database, "R01", 5, address="203.0.113.9")
    waiting(database, "R01", address="203.0.113.9")
    assert enter(database, "R01", secret, address="198.51.100.1").person.code == "R01"


@pytest.mark.usefixtures("quick")
def test_an_address_that_tries_many_codes_has_to_wait(database: Database) -> None:
    for number in range(20):
        fail(database, f"X{number}", 1, address="203.0.113.9")
    assert waiting(database, "Y1", address="203.0.113.9") == 5
    fail(database, "Y1", 1, address="198.51.100.1")


@pytest.mark.usefixtures("quick")
def test_a_code_guessed_from_many_places_waits_a_minute_at_most(database: Database) -> None:
    new_person(database, "R01")
    now = NOW
    for number in range(60):
        try:
            fail(database, "R01", 1, address=f"203.0.113.{number}", now=now)
        except AssertionError:  # had to wait
            now += MINUTE
    assert waiting(database, "R01", address="198.51.100.1", now=now) <= 60


@pytest.mark.usefixtures("quick")
def test_signing_in_clears_the_count(database: Database) -> None:
    secret = new_person(database, "R01")
    fail(database, "R01", 4)
    enter(database, "R01", secret)
    fail(database, "R01", 4)
    enter(database, "R01", secret)


@pytest.mark.usefixtures("quick")
def test_failures_count_one_by_one_when_they_come_at_once(database: Database) -> None:
    new_person(database, "R01")

    def attempt(_: int) -> str:
        try:
            enter(database, "R01", "wrong")
        except Refused as refusal:
            return refusal.code
        return "in"

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(attempt, range(40)))
    assert codes.count("access.wrong_secret") <= 5 + 8  # no more than were on their way


# --- own passphrase ---------------------------------------------------------------------------
def test_an_own_passphrase_replaces_the_secret_and_ends_other_sessions(database: Database) -> None:
    secret = new_person(database, "R01")
    here, there = (enter(database, "R01", secret).token for _ in range(2))
    me = sessions.person_of(database, here, NOW)
    assert me is not None
    sessions.change_passphrase(
        database, me, old=secret, new="木棉 lantern 江河", now=NOW, token=here
    )
    assert sessions.person_of(database, here, NOW) is not None
    assert sessions.person_of(database, there, NOW) is None
    fail(database, "R01", 1)
    with pytest.raises(Refused):
        enter(database, "R01", secret)
    assert enter(database, "R01", "木棉 lantern 江河").person.code == "R01"


def test_the_old_secret_is_required_and_guessing_it_is_throttled(database: Database) -> None:
    me = enter(database, "R01", new_person(database, "R01")).person
    for _ in range(5):
        with pytest.raises(Refused, match="not right"):
            sessions.change_passphrase(database, me, old="x", new="木棉灯笼江河湖海", now=NOW)
    with pytest.raises(Refused, match="Too many"):
        sessions.change_passphrase(database, me, old="x", new="木棉灯笼江河湖海", now=NOW)


@pytest.mark.parametrize(
    ("passphrase", "code"),
    [
        ("short-7", "access.passphrase_short"),
        ("x" * 129, "access.passphrase_long"),
        ("my r01-A is it", "access.passphrase_has_code"),
        ("password123", "access.passphrase_common"),
        ("WoAiNi1314", "access.passphrase_common"),
        ("aaaaaaaaaaaa", "access.passphrase_common"),
        ("23456789", "access.passphrase_common"),
        ("ｐａｓｓｗｏｒｄ１", "access.passphrase_common"),
        ("lkjhgfdsa", "access.passphrase_common"),
    ],
)
def test_a_weak_passphrase_is_refused(passphrase: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        passphrases.require_good(passphrase, "R01-A")
    assert refusal.value.code == code


@pytest.mark.parametrize("passphrase", ["correct horse battery", "x1x1x1漢字", "密密密abcde"])
def test_a_passphrase_of_eight_characters_needs_no_special_ones(passphrase: str) -> None:
    passphrases.require_good(passphrase, "R01")


def test_a_long_passphrase_counts_to_its_last_character(database: Database) -> None:
    secret = new_person(database, "R01")
    me = enter(database, "R01", secret).person
    long = "ab c" * 31 + "wxyz"
    sessions.change_passphrase(database, me, old=secret, new=long, now=NOW)
    with pytest.raises(Refused):
        enter(database, "R01", long[:-1])
    enter(database, "R01", long)


# --- language ---------------------------------------------------------------------------------
def test_the_language_of_the_sign_in_page_is_kept_until_another_is_chosen(
    database: Database,
) -> None:
    secret = new_person(database, "R01")

    def sign_in(language: str) -> str:
        return sessions.sign_in(
            database, code="R01", secret=secret, address="", now=NOW, language=language
        ).person.language

    assert sign_in("en") == "en"
    assert sign_in("zh") == "en"
    me = enter(database, "R01", secret).person
    sessions.set_language(database, me, language="zh", now=NOW)
    assert sign_in("en") == "zh"
    with pytest.raises(Invalid):
        sessions.set_language(database, me, language="fr", now=NOW)


# --- demonstration ----------------------------------------------------------------------------
LOCAL = Settings(database="")
OPEN = Settings(database="", address="0.0.0.0")


def demonstration(database: Database) -> int:
    study_id = new_study(database, "demo", demonstration=True)
    with database.writing() as connection:
        for role in Role:
            person_id = stored.add(
                connection, code=f"DEMO-{role}".upper(), secret_hash=None, demonstration=True,
                now=NOW,
            )
            stored.join(
                connection, study_id=study_id, person_id=person_id, role=role, now=NOW
            )
    return study_id


def test_the_demonstration_is_entered_without_a_secret(database: Database) -> None:
    study_id = demonstration(database)
    assert sessions.demonstration_offered(database, settings=LOCAL)
    for role in Role:
        signed_in = sessions.demonstration_sign_in(database, role=role, settings=LOCAL, now=NOW)
        assert signed_in.person.roles == {study_id: {role}}
        assert not signed_in.person.may_create_studies


def test_the_demonstration_closes_when_a_real_study_exists(database: Database) -> None:
    demonstration(database)
    new_study(database, "real")
    assert not sessions.demonstration_offered(database, settings=LOCAL)
    with pytest.raises(Refused, match="sole study"):
        sessions.demonstration_sign_in(database, role=Role.LEAD, settings=LOCAL, now=NOW)


def test_the_demonstration_is_closed_on_a_server_others_can_reach(database: Database) -> None:
    demonstration(database)
    assert not sessions.demonstration_offered(database, settings=OPEN)
    with pytest.raises(Refused):
        sessions.demonstration_sign_in(database, role=Role.RATER, settings=OPEN, now=NOW)


def test_no_real_person_is_entered_through_the_demonstration(database: Database) -> None:
    study_id = new_study(database, "demo", demonstration=True)
    new_person(database, "R01", study_id=study_id)
    with pytest.raises(Refused):
        sessions.demonstration_sign_in(database, role=Role.RATER, settings=LOCAL, now=NOW)


def test_looking_a_person_up_is_one_question_to_the_database(database: Database) -> None:
    token = enter(database, "R01", new_person(database, "R01")).token
    asked: list[str] = []
    with database.reading() as connection:
        engine = connection.engine
        connection.execute(text("SELECT 1"))

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    sessions.person_of(database, token, NOW)
    event.remove(engine, "before_cursor_execute", note)
    assert sum(statement.startswith("SELECT") for statement in asked) == 1


def test_a_verified_address_signs_in_the_one_person_who_has_it(
    database: Database, now: datetime
) -> None:
    from cbt_core.services.people import roster

    for code in ("R01", "R02"):
        roster.add_person(database, TERMINAL, code=code, now=now)
    roster.set_identity(
        database, TERMINAL, code="R01", name="李医生", email="Li@hospital.example", now=now
    )
    found = sessions.verified_sign_in(database, email="li@HOSPITAL.example", now=now)
    assert found.person.code == "R01"
    assert sessions.person_of(database, found.token, now) is not None
    roster.set_identity(
        database, TERMINAL, code="R02", name="", email="li@hospital.example", now=now
    )
    for email in ("li@hospital.example", "unknown@hospital.example", ""):
        with pytest.raises(Refused):
            sessions.verified_sign_in(database, email=email, now=now)
