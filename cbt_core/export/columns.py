"""The columns of every exported table with their meaning in Chinese and English."""

from typing import Final

from cbt_core.analysis.rows import (
    EXCLUDED,
    INTEGER,
    ITEM,
    KIND,
    LANG,
    NUMBER,
    ORDER,
    PANEL,
    RATER,
    REVISION,
    SECONDS,
    SYSTEM,
    TEXT,
    described,
    scale_columns,
)
from cbt_core.domain.instrument import Instrument
from cbt_core.files.writer import Column

CHANCE: Final = described("inclusion_probability", NUMBER)


def task_columns(instrument: Instrument) -> tuple[Column, ...]:
    """Return the columns of `tasks`, with one per scale of the whole task."""
    return (
        ITEM, RATER, PANEL, KIND, ORDER,
        described("slots", TEXT),
        described("state", TEXT),
        described("repeat_of", INTEGER),
        described("opened_at", TEXT),
        described("saved_at", TEXT),
        REVISION, SECONDS,
        described("layout", TEXT, "layout_of_tasks"),
        described("input", TEXT),
        described("width", INTEGER),
        LANG,
        described("confidence", INTEGER),
        *scale_columns(instrument, level="task"),
    )


def item_columns(*, unblinded: bool) -> tuple[Column, ...]:
    """Return the columns of `items`; the source may give a system away."""
    fixed = (
        ITEM,
        described("kind", TEXT, "kind_of_items"),
        described("question", TEXT),
        described("description", TEXT),
        described("keywords", TEXT),
        described("licence", TEXT),
        described("risk", TEXT),
        described("risk_detected", INTEGER),
        described("withdrawn_at", TEXT),
        described("withdrawn_reason", TEXT),
        CHANCE,
    )
    source = described("source", TEXT)
    return (*fixed, source) if unblinded else fixed


def answer_columns(*, unblinded: bool) -> tuple[Column, ...]:
    """Return the columns of `answers`; provenance only when unblinded."""
    fixed = (ITEM, SYSTEM, described("answer", TEXT))
    if not unblinded:
        return fixed
    return (
        *fixed,
        described("model", TEXT),
        described("adapter", TEXT),
        described("prompt", TEXT),
        described("run", TEXT),
        described("distortions", TEXT),
    )


REVISIONS: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND, REVISION,
    described("at", TEXT),
    described("scale", TEXT),
    described("value", INTEGER),
    described("missing_reason", TEXT, "missing_reason_of_revisions"),
    described("reason", TEXT),
)
MISSING: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND,
    described("scale", TEXT, "scale_of_missing"),
    described("reason", TEXT, "reason_of_missing"),
)
COMMENTS: Final = (
    ITEM, RATER, PANEL, KIND, REVISION,
    described("about", TEXT),
    described("text", TEXT),
)
PREFERENCES: Final = (
    ITEM, RATER, PANEL, KIND,
    described("slot", TEXT, "slot_of_preferences"),
    described("system", TEXT, "system_of_preferences"),
    EXCLUDED,
)
STEPS: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND,
    described("step", TEXT),
    described("value", INTEGER, "value_of_steps"),
)
FLAGS: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND,
    described("flag", TEXT),
    described("severity", TEXT),
    described("quote", TEXT),
    described("start", INTEGER),
    described("end", INTEGER),
)
GUESSES: Final = (
    ITEM, RATER, PANEL,
    described("slot", TEXT, "slot_of_guesses"),
    described("system", TEXT, "system_of_guesses"),
    described("reason", TEXT, "reason_of_guesses"),
)
RATERS: Final = (
    RATER,
    described("work", TEXT),
    described("tasks", INTEGER),
    described("done", INTEGER),
    described("hours", NUMBER),
    described("consent_version", TEXT),
    described("consent_at", TEXT),
    described("practice_at", TEXT),
    described("final_at", TEXT),
    described("profile", TEXT),
    EXCLUDED,
)
EXCLUSIONS: Final = (
    RATER, ITEM,
    described("reason", TEXT, "reason_of_missing"),
    described("actor", TEXT),
    described("at", TEXT, "at_of_exclusions"),
)
AUDIT: Final = (
    described("seq", INTEGER),
    described("at", TEXT, "at_of_exclusions"),
    described("actor", TEXT, "actor_of_audit"),
    described("action", TEXT),
    described("payload", TEXT),
    described("hash", TEXT),
)
CODEBOOK: Final = (
    described("table", TEXT),
    described("column", TEXT),
    described("type", TEXT),
    described("value", INTEGER, "value_of_codebook"),
    described("zh", TEXT),
    described("en", TEXT),
)


JUDGES: Final = (
    ITEM,
    described("system", TEXT, "system_of_judges"),
    described("judge", TEXT),
    described("scale", TEXT),
    described("value", INTEGER, "value_of_judges"),
    described("reason", TEXT, "reason_of_judges"),
    described("prompt_digest", TEXT),
    described("instrument_digest", TEXT),
    described("run", TEXT),
)
