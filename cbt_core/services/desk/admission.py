"""What a rater goes through before the first task: consent, profile, guide, practice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cbt_core.domain.instrument import Instrument, Text
from cbt_core.domain.people import Person
from cbt_core.domain.protocol import Practice, ProfileField
from cbt_core.domain.study import Role
from cbt_core.domain.study_setup import StudySetup
from cbt_core.domain.submission import WORK_OF, Work
from cbt_core.errors import Invalid, Refused
from cbt_core.instruments.shipped import defaults
from cbt_core.services import guard
from cbt_core.services.studies.study_setup import current
from db import audit, seats
from db.engine import Connection, Database
from db.seats import SeatRow


@dataclass(frozen=True, slots=True)
class MyStudy:
    """One of a person's studies and where the person stands in it.

    `step` is what comes next: consent, profile, guide, practice, held (practice failed: the lead
    decides), work, guess, done, closed or waiting (no tasks yet).
    """

    slug: str
    title: str
    language: str
    role: Role
    stage: str
    step: str
    done: int
    total: int
    minutes: int
    setup: StudySetup


@dataclass(frozen=True, slots=True)
class PracticeResult:
    """What was right in one practice item: (slot, scale, given, expected, reason)."""

    marks: tuple[tuple[str, str, int | None, int, str], ...]
    right: int
    asked: int


def my_studies(database: Database, person: Person, *, now: datetime) -> list[MyStudy]:
    """Return the person's studies as rater or annotator: own language first, then newest."""
    studies: list[MyStudy] = []
    with guard.as_anyone(database, person, act="my_studies", now=now).reading() as connection:
        for study_id, roles in sorted(person.roles.items(), reverse=True):
            for role in sorted(roles & set(WORK_OF)):
                studies.append(_standing(connection, person, study_id, role))
    return sorted(studies, key=lambda one: one.language != person.language)


def standing(
    database: Database, person: Person, *, slug: str, now: datetime, role: Role = Role.RATER
) -> MyStudy:
    """Return where the person stands in a study.

    Raises:
        Refused: the person does not hold the role there.
    """
    worker = guard.as_worker(database, person, study=slug, role=role, act="standing", now=now)
    with worker.reading() as (connection, study):
        return _standing(connection, person, study.id, role)


def consent_text(setup: StudySetup) -> Text:
    """Return the study's consent, or the shipped one."""
    shipped = defaults().consent_live if setup.protocol.is_live else defaults().consent
    return setup.protocol.raters.consent or shipped


def content_notice(setup: StudySetup) -> Text:
    """Return what awaits a reader; only archived texts are told to be so."""
    return defaults().content_notice_live if setup.protocol.is_live else defaults().content_notice


def profile_fields(setup: StudySetup) -> tuple[ProfileField, ...]:
    """Return what the rater is asked about themself; every field may be declined."""
    return setup.protocol.raters.profile or defaults().profile


def accept_consent(
    database: Database, person: Person, *, slug: str, now: datetime, role: Role = Role.RATER
) -> None:
    """Note that the person read and accepted the consent in force."""
    worker = guard.as_worker(
        database, person, study=slug, role=role, act="accept_consent", now=now
    )
    with worker.writing() as (connection, study):
        study_id, setup = study.id, current(connection, study.id)
        version = setup.protocol.ethics.consent_version
        seats.consent(
            connection, study_id=study_id, person_id=person.id, work=WORK_OF[role],
            version=version, now=now,
        )
        audit.append(
            connection, study_id=study_id, actor=person.code, action="consent",
            payload={"version": version, "protocol": setup.digests.protocol}, now=now,
        )


def answer_profile(
    database: Database, person: Person, *, slug: str, answers: Mapping[str, str | None],
    now: datetime, role: Role = Role.RATER,
) -> None:
    """Store the profile; a field left out or None is declined."""
    worker = guard.as_worker(
        database, person, study=slug, role=role, act="answer_profile", now=now
    )
    with worker.writing() as (connection, study):
        study_id, setup = study.id, current(connection, study.id)
        kept: dict[str, str | None] = {}
        for field in profile_fields(setup):
            given = answers.get(field.id)
            if given is not None and field.choices and given not in dict(field.choices):
                raise Invalid("admission.unknown_choice", missing=((None, field.id),))
            kept[field.id] = given[:200] if given else None
        seats.set_profile(
            connection, study_id=study_id, person_id=person.id, work=WORK_OF[role],
            profile=json.dumps(kept, ensure_ascii=False, sort_keys=True),
        )
        audit.append(
            connection, study_id=study_id, actor=person.code, action="profile",
            payload={"answered": sorted(key for key, value in kept.items() if value)}, now=now,
        )


def finish_guide(
    database: Database, person: Person, *, slug: str, now: datetime, role: Role = Role.RATER
) -> None:
    """Note that the person has read the guide."""
    worker = guard.as_worker(database, person, study=slug, role=role, act="finish_guide", now=now)
    with worker.writing() as (connection, study):
        seats.mark(
            connection, study_id=study.id, person_id=person.id, work=WORK_OF[role],
            milestone="guide_at", now=now,
        )


def practice_item(
    database: Database, person: Person, *, slug: str, now: datetime
) -> tuple[Practice | None, int, int]:
    """Return the practice item to do next (None: all done), its number and how many there are."""
    rater = guard.as_rater(database, person, study=slug, act="practice_item", now=now)
    with rater.reading() as (connection, study):
        items = current(connection, study.id).protocol.raters.practice
        done = _attempt(connection, study.id, person.id, len(items))
    left = [item for item in items if item.id not in done.items]
    return (left[0] if left else None, len(items) - len(left) + 1, len(items))


def answer_practice(
    database: Database,
    person: Person,
    *,
    slug: str,
    item: str,
    scores: Mapping[str, Mapping[str, int]],
    now: datetime,
) -> PracticeResult:
    """Mark one practice item; after the last one decide whether the pass mark is reached.

    `scores` maps slot to scale to value. A failed attempt may be repeated once; then the lead
    decides (`practice_at` stays empty until the lead lets the person in).

    Raises:
        Invalid: there is no such item, or a score is no whole number.
    """
    rater = guard.as_rater(database, person, study=slug, act="answer_practice", now=now)
    with rater.writing() as (connection, study):
        if any(type(value) is not int for scales in scores.values() for value in scales.values()):
            raise Invalid("rating.out_of_range")
        study_id, setup = study.id, current(connection, study.id)
        chosen = next((p for p in setup.protocol.raters.practice if p.id == item), None)
        if chosen is None:
            raise Invalid("rating.malformed")
        result = mark(chosen, scores)
        items = len(setup.protocol.raters.practice)
        attempt = _attempt(connection, study_id, person.id, items)
        if item in attempt.items or attempt.number > seats.ATTEMPTS:
            return result
        seats.add_attempt(
            connection, study_id=study_id, person_id=person.id, attempt=attempt.number,
            item=item, entries=json.dumps({s: dict(v) for s, v in scores.items()}),
            right=result.right, asked=result.asked, now=now,
        )
        _decide(connection, person, study_id, setup, now)
        return result


def mark(item: Practice, scores: Mapping[str, Mapping[str, int]]) -> PracticeResult:
    """Compare scores with the key of a practice item."""
    marks = []
    for slot, scales in item.key.items():
        for scale, expected in scales.items():
            given = scores.get(slot, {}).get(scale)
            reason = item.reasons.get(slot, {}).get(scale, "")
            marks.append((slot, scale, given, expected, reason))
    right = sum(given == expected for _, _, given, expected, _ in marks)
    return PracticeResult(tuple(marks), right, len(marks))


def let_in(
    database: Database, person: Person, *, slug: str, code: str, now: datetime
) -> None:
    """Let a rater in who did not reach the pass mark (the lead's decision)."""
    lead = guard.as_lead(database, person, study=slug, act="let_in", now=now)
    with lead.writing() as (connection, study):
        rater_id = seats.person_id_of(connection, code)
        if rater_id is None:
            raise Refused(guard.UNKNOWN_STUDY)
        seats.mark(
            connection, study_id=study.id, person_id=rater_id, work=Work.RATE,
            milestone="practice_at", now=now,
        )
        audit.append(
            connection, study_id=study.id, actor=person.code, action="let-in",
            payload={"rater": code}, now=now,
        )


def _decide(
    connection: Connection, person: Person, study_id: int, setup: StudySetup, now: datetime
) -> None:
    raters = setup.protocol.raters
    attempt = seats.current_attempt(connection, study_id, person.id)
    if len(attempt.items) < len(raters.practice):
        return
    passed = attempt.right >= raters.pass_mark * attempt.asked
    if passed:
        seats.mark(
            connection, study_id=study_id, person_id=person.id, work=Work.RATE,
            milestone="practice_at", now=now,
        )
    audit.append(
        connection, study_id=study_id, actor=person.code, action="practice",
        payload={"attempt": attempt.number, "right": attempt.right, "asked": attempt.asked,
                 "passed": passed}, now=now,
    )


def _attempt(
    connection: Connection, study_id: int, person_id: int, items: int
) -> seats.Attempt:
    """Return the attempt the next answer belongs to: a full one is followed by a new one."""
    attempt = seats.current_attempt(connection, study_id, person_id)
    if len(attempt.items) < items:
        return attempt
    return seats.Attempt(attempt.number + 1, frozenset(), 0, 0)


def _standing(
    connection: Connection, person: Person, study_id: int, role: Role
) -> MyStudy:
    setup = current(connection, study_id)
    seat = seats.find(
        connection, study_id=study_id, person_id=person.id, work=WORK_OF[role]
    )
    step = _step(connection, setup, seat, role)
    done, total, seconds = (seat.done, seat.total, seat.seconds) if seat else (0, 0, 0.0)
    return MyStudy(
        setup.study.slug, setup.study.title, setup.protocol.language, role, setup.study.stage,
        step, done, total, round(seconds / 60), setup,
    )


def _step(
    connection: Connection, setup: StudySetup, seat: SeatRow | None, role: Role
) -> str:
    if setup.study.stage.is_closed:
        return "closed"
    if seat is None or seat.total == 0:
        return "waiting"
    if seat.consent_at is None or seat.consent_version != setup.protocol.ethics.consent_version:
        return "consent"
    if seat.profile is None:
        return "profile"
    if seat.guide_at is None:
        return "guide"
    if role is Role.RATER and setup.protocol.raters.practice and seat.practice_at is None:
        items = len(setup.protocol.raters.practice)
        attempt = _attempt(connection, seat.study_id, seat.person_id, items)
        return "held" if attempt.number > seats.ATTEMPTS else "practice"
    return _after_start(setup, seat, role)


def _after_start(setup: StudySetup, seat: SeatRow, role: Role) -> str:
    if seat.done < seat.total:
        return "work"
    asks = role is Role.RATER and setup.protocol.raters.arm_guess
    return "guess" if asks and seat.final_at is None else "done"


def instrument_of(standing_in: MyStudy) -> Instrument:
    """Return the instrument of a study the person is in."""
    return standing_in.setup.instrument
