"""Practice items with their key, and quality checks, of a protocol."""

from typing import Final

from cbt_core.domain.instrument import EMPTY, Instrument
from cbt_core.domain.protocol import Attention, Practice
from cbt_core.domain.study import SLOTS
from cbt_core.files.protocol_sections import no_scale
from cbt_core.files.protocol_setting import Setting, listed
from cbt_core.instruments.reading import Table, parse_toml, read_text, refuse_repeats
from cbt_core.instruments.shipped import FOLDER

DEFAULT: Final = "default"
"""``practice = "default"`` asks for the practice items that come with cbt-3."""


def read_practice(table: Table, setting: Setting) -> tuple[Practice, ...]:
    """Return the practice items: none, those that come with cbt-3, a file's, or written in place.

    Raises:
        StudyError: a file that is missing or wrong, a key no scale allows, no author, no reason.
    """
    if table.content.get("practice") == DEFAULT:
        name = "practice-cbt-3.toml"
        found = parse_toml(read_text(FOLDER / name), name)
    else:
        found = listed(table, "practice", "items", setting)
    found.only("author", "items")
    author = found.text("author", "")
    items = tuple(_item(one, author, setting) for one in found.children("items"))
    refuse_repeats(found, "items", [item.id for item in items])
    return items


def _item(table: Table, author: str, setting: Setting) -> Practice:
    table.only("id", "question", "description", "answers", "key", "reasons", "author")
    answers = table.child("answers")
    answers.only(*SLOTS)
    if not answers.content:
        raise table.refusal("answers", "instruments.missing")
    key = {slot: _key(table, slot, setting.instrument) for slot in answers.content}
    table.child("key").only(*answers.content)
    table.child("reasons").only(*answers.content)
    return Practice(
        id=table.identifier("id"),
        question=_said(table, "question", setting),
        description=_description(table, setting),
        answers={slot: _said(answers, slot, setting) for slot in answers.content},
        key=key,
        reasons={slot: _reasons(table, slot, key[slot], setting) for slot in key},
        author=_author(table, author),
    )


def _author(table: Table, author: str) -> str:
    """Return who stands for the key: it imports that person's view of what is right."""
    found = table.text("author", author)
    if not found:
        raise table.refusal("author", "protocol.practice_author")
    return found


def _key(table: Table, slot: str, instrument: Instrument) -> dict[str, int]:
    written = table.child("key").child(slot)
    known = {scale.id: scale for scale in instrument.scales if scale.level == "answer"}
    for scale in written.content:
        if scale not in known:
            raise no_scale(written, scale, instrument.id, known)
    found = {scale: written.whole(scale, low=-9999, high=9999) for scale in written.content}
    for scale, value in found.items():
        if not known[scale].allows(value):
            raise written.refusal(scale, "instruments.value_not_on_scale", scale=scale)
    return found


def _reasons(table: Table, slot: str, key: dict[str, int], setting: Setting) -> dict[str, str]:
    """Return one reason for every keyed value; a reason without a value is refused."""
    written = table.child("reasons").child(slot)
    written.only(*key)
    return {scale: _said(written, scale, setting) for scale in key}


def read_attention(table: Table, setting: Setting) -> tuple[Attention, ...]:
    """Return the quality checks: none, a file's, or written in place.

    Raises:
        StudyError: a file that is missing or wrong, or a scale without an order.
    """
    found = listed(table, "attention", "checks", setting)
    found.only("checks")
    checks = tuple(_check(one, setting) for one in found.children("checks"))
    refuse_repeats(found, "checks", [check.id for check in checks])
    return checks


def _check(table: Table, setting: Setting) -> Attention:
    table.only("id", "question", "description", "better", "worse", "scale")
    return Attention(
        id=table.identifier("id"),
        question=_said(table, "question", setting),
        description=_description(table, setting),
        better=_said(table, "better", setting),
        worse=_said(table, "worse", setting),
        scale=_ordered_scale(table, setting.instrument),
    )


def _ordered_scale(table: Table, instrument: Instrument) -> str:
    """Return the scale on which one answer must score below the other."""
    ordered = [
        scale.id
        for scale in instrument.scales
        if scale.level == "answer" and scale.measure == "ordinal"
    ]
    found = table.text("scale")
    if found not in ordered:
        raise no_scale(table, "scale", instrument.id, ordered)
    return found


def _description(table: Table, setting: Setting) -> str:
    return table.words("description", EMPTY)(setting.language)


def _said(table: Table, key: str, setting: Setting) -> str:
    """Return words in the study's language: its items are shown in one language only."""
    return table.words(key)(setting.language)
