"""The plain sections of a protocol: ethics, design, sheet, analysis, steps."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from cbt_core.domain.instrument import Instrument
from cbt_core.domain.protocol import SAMPLE, Analysis, Design, Ethics, Sheet
from cbt_core.domain.study import Panel
from cbt_core.errors import StudyError
from cbt_core.instruments.reading import Table

PREFERENCES: Final = ("off", "optional", "required")
ALPHAS: Final = ("nominal", "ordinal", "interval")
STEPS: Final = ("none", "after", "before")
LARGEST_SEED: Final = 2**63 - 1
"""The largest number a database column for seeds holds."""

MOST_OVERLAP: Final = 1000
MOST_TASKS: Final = 100_000


def read_ethics(table: Table) -> Ethics:
    """Return the ethics record.

    Raises:
        StudyError: an unknown key, a date that is none, an exemption without reason.
    """
    table.only(
        "committee", "number", "valid_until", "exempt", "reason", "consent_version", "contact"
    )
    found = Ethics(
        committee=table.text("committee", ""),
        number=_number_or_text(table, "number", ""),
        valid_until=_day(table, "valid_until"),
        exempt=table.yes_no("exempt", False),
        reason=table.text("reason", ""),
        consent_version=_number_or_text(table, "consent_version", "1"),
        contact=table.text("contact", ""),
    )
    if found.exempt and not found.reason:
        raise table.refusal("reason", "protocol.exempt_without_reason")
    return found


def _number_or_text(table: Table, key: str, default: str) -> str:
    value = table.content.get(key)
    plain_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if plain_number else table.text(key, default)


def _day(table: Table, key: str) -> str:
    """Return a date as ``2027-12-31``, written as a TOML date or a text; empty where absent."""
    value = table.content.get(key, "")
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    written = table.text(key, "")
    try:
        return date.fromisoformat(written).isoformat() if written else ""
    except ValueError as error:
        raise table.refusal(key, "protocol.not_date") from error


def read_design(table: Table) -> Design:
    """Return who meets what.

    Raises:
        StudyError: an unknown key or a value out of range.
    """
    table.only("panel", "overlap", "repeats", "repeat_gap_tasks", "seed")
    return Design(
        panel=Panel(table.choice("panel", [panel.value for panel in Panel], Panel.PAIRS.value)),
        overlap=table.whole("overlap", 3, low=1, high=MOST_OVERLAP),
        repeats=table.number("repeats", 0.0, low=0, high=1),
        repeat_gap_tasks=table.whole("repeat_gap_tasks", 20, low=1, high=MOST_TASKS),
        seed=table.whole("seed", 1, low=0, high=LARGEST_SEED),
    )


def read_sheet(table: Table) -> Sheet:
    """Return what the rating sheet asks beside the scores.

    Raises:
        StudyError: an unknown key or a value of the wrong kind.
    """
    table.only("preference", "confidence", "flags", "comment")
    return Sheet(
        preference=table.choice("preference", PREFERENCES, "optional"),
        confidence=table.yes_no("confidence", False),
        flags=table.yes_no("flags", True),
        comment=table.yes_no("comment", True),
    )


def read_steps(table: Table, instrument: Instrument) -> str:
    """Return when the checklist is asked: none, after, before or ``sample:0.3``.

    Raises:
        StudyError: another word, a share outside 0–1, or an instrument without a checklist.
    """
    written = table.text("steps", "none")
    found = _sample(table, written) if written.startswith(SAMPLE) else written
    if not found.startswith(SAMPLE) and found not in STEPS:
        raise table.refusal("steps", "protocol.bad_steps")
    if found != "none" and not instrument.steps:
        raise table.refusal("steps", "protocol.no_steps", instrument=instrument.id)
    return found


def _sample(table: Table, written: str) -> str:
    try:
        share = float(written.removeprefix(SAMPLE))
    except ValueError as error:
        raise table.refusal("steps", "protocol.bad_steps") from error
    if not 0 < share <= 1:
        raise table.refusal("steps", "protocol.bad_steps")
    return f"{SAMPLE}{share:g}"


def read_analysis(table: Table, instrument: Instrument) -> Analysis:
    """Return the analysis plan. `looks` may be numbers, dates or words; kept as texts.

    Raises:
        StudyError: an unknown key, a value out of range, or a scale the instrument lacks.
    """
    table.only("baseline", "primary", "margin", "alpha", "bootstrap", "exclude", "looks", "planned")
    primary = table.child("primary")
    primary.only("scale", "system")
    return Analysis(
        baseline=table.text("baseline", ""),
        primary_scale=known_scale(primary, instrument) if primary.has("scale") else "",
        primary_system=primary.text("system", ""),
        margin=table.number("margin", low=0, high=1e6) if table.has("margin") else None,
        alpha=table.choice("alpha", ALPHAS, "ordinal"),
        bootstrap=table.whole("bootstrap", 1000, low=0, high=MOST_TASKS),
        exclude=table.strings("exclude"),
        looks=_looks(table),
        planned=table.strings("planned"),
    )


def _looks(table: Table) -> tuple[str, ...]:
    written = table.content.get("looks", [])
    if not isinstance(written, list):
        raise table.refusal("looks", "instruments.not_texts")
    kinds = str | int | float | date
    plain = [str(one) if isinstance(one, kinds) else one for one in written]
    return Table(table.file, table.at, {"looks": plain}).strings("looks")


def known_scale(table: Table, instrument: Instrument) -> str:
    """Return the id under ``scale``.

    Raises:
        StudyError: the instrument has no such scale.
    """
    found = table.text("scale")
    known = [scale.id for scale in instrument.scales]
    if found not in known:
        raise no_scale(table, "scale", instrument.id, known)
    return found


def no_scale(table: Table, key: str, instrument_id: str, known: Iterable[str]) -> StudyError:
    """Return the refusal of a scale that the instrument does not have, or not for this use."""
    return table.refusal(key, "protocol.no_scale", instrument=instrument_id, known=", ".join(known))
