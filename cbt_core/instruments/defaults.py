"""The texts and lists a study uses unless its protocol brings its own."""

from dataclasses import dataclass
from functools import cache

from cbt_core.domain.instrument import Choice, Text
from cbt_core.domain.protocol import ProfileField
from cbt_core.instruments.reading import Table, parse_toml, read_text, refuse_repeats
from cbt_core.instruments.shipped import FOLDER


@dataclass(frozen=True, slots=True)
class Defaults:
    """Everything in ``defaults.toml``; the ids of the lists go into exports.

    `ai_notice` is the same in every study, whether a human wrote some answers or not: a notice
    that changed would itself unblind. Consent and notice say of archived texts that nobody can be
    reached; the `_live` ones say what to do when somebody may be waiting.
    """

    consent: Text
    consent_live: Text
    content_notice: Text
    content_notice_live: Text
    support_text: Text
    ai_notice: Text
    profile: tuple[ProfileField, ...]
    skip_reasons: tuple[Choice, ...]
    flag_kinds: tuple[Choice, ...]
    severities: tuple[Choice, ...]


@cache
def defaults() -> Defaults:
    """Return the default texts and lists."""
    table = parse_toml(read_text(FOLDER / "defaults.toml"), "defaults.toml")
    return Defaults(
        consent=_about(table, "consent", "archived"),
        consent_live=_about(table, "consent", "live"),
        content_notice=_about(table, "content_notice", "archived"),
        content_notice_live=_about(table, "content_notice", "live"),
        support_text=table.words("support_text"),
        ai_notice=table.words("ai_notice"),
        profile=read_profile(table, "fields"),
        skip_reasons=_choices(table, "skip_reasons"),
        flag_kinds=_choices(table, "flag_kinds"),
        severities=_choices(table, "severities"),
    )


def read_profile(table: Table, key: str) -> tuple[ProfileField, ...]:
    """Return the questions about a rater in ``[[key]]``; none where the key is absent.

    Raises:
        StudyError: a key is unknown, an id repeated, or words are missing.
    """
    found = tuple(_field(one) for one in table.children(key))
    refuse_repeats(table, key, [field.id for field in found])
    return found


def _about(table: Table, key: str, source_kind: str) -> Text:
    """Return words with what they say of the texts' source set in for ``<texts>``."""
    words, texts = table.words(key), table.child(source_kind).words(key)
    return Text(
        zh=words.zh.replace("<texts>", texts.zh), en=words.en.replace("<texts>", texts.en)
    )


def _field(table: Table) -> ProfileField:
    table.only("id", "name", "choices")
    choices = tuple((choice.id, choice.name) for choice in _choices(table, "choices"))
    return ProfileField(table.identifier("id"), table.words("name"), choices)


def _choices(table: Table, key: str) -> tuple[Choice, ...]:
    found = tuple(_choice(one) for one in table.children(key))
    refuse_repeats(table, key, [choice.id for choice in found])
    return found


def _choice(table: Table) -> Choice:
    table.only("id", "name")
    choice_id = table.identifier("id")
    return Choice(choice_id, table.words("name", Text(choice_id, choice_id)))
