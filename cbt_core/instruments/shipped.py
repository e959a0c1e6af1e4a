"""What comes with Concord: instruments, schemes, crosswalk, default texts; own ones from files."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Choice, Crosswalk, Instrument, Scheme, Text
from cbt_core.domain.protocol import ProfileField
from cbt_core.errors import StudyError
from cbt_core.instruments.scales import read_instrument
from cbt_core.instruments.schemes import parse_crosswalk, read_scheme
from cbt_core.instruments.toml_reader import Table, parse_toml, read_text, refuse_repeats

FOLDER: Final = Path(__file__).parent
INSTRUMENTS: Final = ("cbt-3", "overall-5")
SCHEMES: Final = ("burns-12", "cbt-bench-10", "c2d2-7", "cbt-llm-5")


def shipped_instruments() -> tuple[str, ...]:
    """Return the ids of the instruments that come with Concord."""
    return INSTRUMENTS


def shipped_schemes() -> tuple[str, ...]:
    """Return the ids of the label schemes that come with Concord."""
    return SCHEMES


def load_instrument(id_or_path: str | Path, folder: Path | None = None) -> Instrument:
    """Return a shipped instrument by id, or an own one from a TOML file.

    A relative path starts at `folder` (default: the working directory).

    Raises:
        StudyError: neither a shipped id nor a file, or the file is not an instrument.
    """
    if str(id_or_path) in INSTRUMENTS:
        return _shipped_instrument(str(id_or_path))
    path = _own_file(id_or_path, folder, INSTRUMENTS)
    return read_instrument(parse_toml(read_text(path), str(path)), path.stem)


def load_scheme(id_or_path: str | Path, folder: Path | None = None) -> Scheme:
    """Return a shipped label scheme by id, or an own one from a TOML file.

    A relative path starts at `folder` (default: the working directory).

    Raises:
        StudyError: neither a shipped id nor a file, or the file is not a scheme.
    """
    if str(id_or_path) in SCHEMES:
        return _shipped_scheme(str(id_or_path))
    path = _own_file(id_or_path, folder, SCHEMES)
    return read_scheme(parse_toml(read_text(path), str(path)), path.stem)


@cache
def load_crosswalk() -> Crosswalk:
    """Return which labels of the shipped schemes mean the same."""
    schemes = {scheme: load_scheme(scheme) for scheme in SCHEMES}
    return parse_crosswalk(read_text(FOLDER / "crosswalk.toml"), "crosswalk.toml", schemes)


def _own_file(id_or_path: str | Path, folder: Path | None, shipped: tuple[str, ...]) -> Path:
    path = (folder or Path()) / id_or_path
    if path.suffix != ".toml" and not path.exists():
        known = ", ".join(shipped)
        raise StudyError("instruments.not_shipped", name=str(id_or_path), known=known)
    return path


@cache
def _shipped_instrument(instrument_id: str) -> Instrument:
    name = f"{instrument_id}.toml"
    return read_instrument(parse_toml(read_text(FOLDER / name), name))


@cache
def _shipped_scheme(scheme_id: str) -> Scheme:
    name = f"{scheme_id}.toml"
    return read_scheme(parse_toml(read_text(FOLDER / name), name))


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
    questions = tuple(_field(one) for one in table.children(key))
    refuse_repeats(table, key, [field.id for field in questions])
    return questions


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
    choices = tuple(_choice(one) for one in table.children(key))
    refuse_repeats(table, key, [choice.id for choice in choices])
    return choices


def _choice(table: Table) -> Choice:
    table.only("id", "name")
    choice_id = table.identifier("id")
    return Choice(choice_id, table.words("name", Text(choice_id, choice_id)))
