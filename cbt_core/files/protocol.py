"""Protocol files read into a `Protocol`, section by section; a protocol written as TOML."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import tomli_w

from cbt_core.canonical import digest
from cbt_core.domain.instrument import EMPTY, Instrument, Scheme, Text, content
from cbt_core.domain.protocol import (
    ARCHIVED,
    LIVE,
    SAMPLE,
    Analysis,
    Attention,
    Design,
    Escalation,
    Ethics,
    Practice,
    ProfileField,
    Protocol,
    Raters,
    Sheet,
)
from cbt_core.domain.study import SLOTS, Panel
from cbt_core.errors import StudyError
from cbt_core.instruments import (
    defaults,
    load_instrument,
    load_scheme,
    shipped_instruments,
    shipped_schemes,
)
from cbt_core.instruments.scales import read_instrument
from cbt_core.instruments.schemes import read_scheme
from cbt_core.instruments.shipped import FOLDER, read_profile
from cbt_core.instruments.toml_reader import Table, parse_toml, read_text, refuse_repeats, tidy


def file_tables(protocol: Protocol, instrument: Instrument, scheme: Scheme) -> dict[str, object]:
    """Return the protocol as the tables of its file, every default written out.

    That texts are archived is not: so digests of protocols of earlier versions stand.
    """
    study: dict[str, object] = {"title": protocol.title, "language": protocol.language}
    if protocol.support_text is not None:
        study["support_text"] = _words(protocol.support_text)
    live: dict[str, object] = {}
    if protocol.is_live:
        study["source_kind"] = protocol.source_kind
        live["escalation"] = asdict(protocol.escalation)
    return {
        "study": study,
        **live,
        "ethics": asdict(protocol.ethics),
        "design": {**asdict(protocol.design), "panel": protocol.design.panel.value},
        "instrument": {
            "steps": protocol.steps,
            "scales": content(instrument),
            "labels": content(scheme),
        },
        "sheet": asdict(protocol.sheet),
        "rater": _rater_content(protocol.raters),
        "labels": {"mode": protocol.label_mode},
        "analysis": _analysis_content(protocol),
    }


def _rater_content(raters: Raters) -> dict[str, object]:
    plain = asdict(raters)
    plain["devices"] = list(raters.devices)
    if raters.consent is None:
        plain.pop("consent")
    plain["profile"] = [_field_content(field) for field in raters.profile]
    plain["practice"] = [asdict(item) for item in raters.practice]
    plain["attention"] = [asdict(check) for check in raters.attention]
    return plain


def _field_content(field: ProfileField) -> dict[str, object]:
    choices = [{"id": choice, "name": _words(name)} for choice, name in field.choices]
    return {"id": field.id, "name": _words(field.name), "choices": choices}


def _analysis_content(protocol: Protocol) -> dict[str, object]:
    plan = protocol.analysis
    plain: dict[str, object] = {
        "baseline": plan.baseline,
        "alpha": plan.alpha,
        "bootstrap": plan.bootstrap,
        "exclude": list(plan.exclude),
        "looks": list(plan.looks),
        "planned": list(plan.planned),
    }
    primary = {"scale": plan.primary_scale, "system": plan.primary_system}
    plain["primary"] = {key: value for key, value in primary.items() if value}
    if plan.margin is not None:
        plain["margin"] = plan.margin
    return plain


def _words(words: Text) -> dict[str, object]:
    return {"zh": words.zh, "en": words.en}


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rater section is read against.

    `folder` is where files named in it start; None means that no file may be read (a protocol
    that came through the browser or out of the database must hold everything itself).
    `source_kind` (archived or live) decides which consent is shipped.
    """

    folder: Path | None
    instrument: Instrument
    language: str
    source_kind: str


def named_file(table: Table, key: str, folder: Path | None) -> Path:
    """Return the path of a file named in a protocol.

    Raises:
        StudyError: no file may be read here (see `Setting`).
    """
    name = table.text(key)
    if folder is None:
        raise table.refusal(key, "protocol.no_files_here")
    return folder / name


def listed(table: Table, key: str, inner: str, setting: Setting) -> Table:
    """Return a table whose `inner` list holds what `key` names: a file, or tables in place."""
    written = table.content.get(key, [])
    if isinstance(written, str):
        path = named_file(table, key, setting.folder)
        return parse_toml(read_text(path), str(path))
    table.children(key)  # refuses what is not a list of tables, under its own name
    return Table(table.file, table.place(key), {inner: written})


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
    ethics = Ethics(
        committee=table.text("committee", ""),
        number=_number_or_text(table, "number", ""),
        valid_until=_day(table, "valid_until"),
        exempt=table.yes_no("exempt", False),
        reason=table.text("reason", ""),
        consent_version=_number_or_text(table, "consent_version", "1"),
        contact=table.text("contact", ""),
    )
    if ethics.exempt and not ethics.reason:
        raise table.refusal("reason", "protocol.exempt_without_reason")
    return ethics


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
    timing = _sample(table, written) if written.startswith(SAMPLE) else written
    if not timing.startswith(SAMPLE) and timing not in STEPS:
        raise table.refusal("steps", "protocol.bad_steps")
    if timing != "none" and not instrument.steps:
        raise table.refusal("steps", "protocol.no_steps", instrument=instrument.id)
    return timing


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
    scale_id = table.text("scale")
    known = [scale.id for scale in instrument.scales]
    if scale_id not in known:
        raise no_scale(table, "scale", instrument.id, known)
    return scale_id


def no_scale(table: Table, key: str, instrument_id: str, known: Iterable[str]) -> StudyError:
    """Return the refusal of a scale that the instrument does not have, or not for this use."""
    return table.refusal(key, "protocol.no_scale", instrument=instrument_id, known=", ".join(known))


SOURCE_KINDS: Final = (ARCHIVED, LIVE)
MOST_HOURS: Final = 720
"""Thirty days: a longer limit is none."""


def read_escalation(table: Table, source_kind: str) -> Escalation:
    """Return who answers escalations and within how many hours; empty for archived texts.

    Raises:
        StudyError: owner or limit is missing for live texts, or given for archived ones.
    """
    table.only("owner", "within_hours")
    if source_kind != LIVE:
        for key in table.content:
            raise table.refusal(key, "protocol.escalation_not_live")
        return Escalation()
    for key in ("owner", "within_hours"):
        if not table.has(key):
            raise table.refusal(key, "protocol.live_needs_escalation")
    return Escalation(
        owner=table.text("owner"), within_hours=table.whole("within_hours", low=1, high=MOST_HOURS)
    )


def check_live(table: Table, protocol: Protocol) -> None:
    """Refuse a live study in which nothing can be escalated, or whose consent says archived.

    Raises:
        StudyError: the flags are off, or the consent is the shipped one for archived texts.
    """
    if not protocol.is_live:
        return
    if not protocol.sheet.flags:
        raise table.refusal("sheet.flags", "protocol.live_needs_flags")
    if protocol.raters.consent == defaults().consent:
        raise table.refusal("rater.consent", "protocol.live_archived_consent")


DEFAULT: Final = "default"
"""``practice = "default"`` asks for the practice items that come with cbt-3."""


def read_practice(table: Table, setting: Setting) -> tuple[Practice, ...]:
    """Return the practice items: none, those that come with cbt-3, a file's, or written in place.

    Raises:
        StudyError: a file that is missing or wrong, a key no scale allows, no author, no reason.
    """
    if table.content.get("practice") == DEFAULT:
        name = "practice-cbt-3.toml"
        section = parse_toml(read_text(FOLDER / name), name)
    else:
        section = listed(table, "practice", "items", setting)
    section.only("author", "items")
    author = section.text("author", "")
    items = tuple(_item(one, author, setting) for one in section.children("items"))
    refuse_repeats(section, "items", [item.id for item in items])
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
    name = table.text("author", author)
    if not name:
        raise table.refusal("author", "protocol.practice_author")
    return name


def _key(table: Table, slot: str, instrument: Instrument) -> dict[str, int]:
    written = table.child("key").child(slot)
    known = {scale.id: scale for scale in instrument.scales if scale.level == "answer"}
    for scale in written.content:
        if scale not in known:
            raise no_scale(written, scale, instrument.id, known)
    values = {scale: written.whole(scale, low=-9999, high=9999) for scale in written.content}
    for scale, value in values.items():
        if not known[scale].allows(value):
            raise written.refusal(scale, "instruments.value_not_on_scale", scale=scale)
    return values


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
    section = listed(table, "attention", "checks", setting)
    section.only("checks")
    checks = tuple(_check(one, setting) for one in section.children("checks"))
    refuse_repeats(section, "checks", [check.id for check in checks])
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
    scale_id = table.text("scale")
    if scale_id not in ordered:
        raise no_scale(table, "scale", instrument.id, ordered)
    return scale_id


def _description(table: Table, setting: Setting) -> str:
    return table.words("description", EMPTY)(setting.language)


def _said(table: Table, key: str, setting: Setting) -> str:
    """Return words in the study's language: its items are shown in one language only."""
    return table.words(key)(setting.language)


DEVICES: Final = ("desktop", "tablet", "phone")
LARGEST_NUMBER: Final = 100_000
KEYS: Final = (
    "consent", "profile", "practice", "pass_mark", "attention", "recalibrate_every",
    "break_after_minutes", "break_after_risk_items", "arm_guess", "devices",
)  # fmt: skip


def read_raters(table: Table, setting: Setting) -> Raters:
    """Return what a rater goes through and is offered.

    Raises:
        StudyError: an unknown key, a file that is missing or wrong, a value out of range.
    """
    table.only(*KEYS)
    return Raters(
        consent=_consent(table, setting),
        profile=_profile(table, setting),
        practice=read_practice(table, setting),
        pass_mark=table.number("pass_mark", 0.7, low=0, high=1),
        attention=read_attention(table, setting),
        recalibrate_every=table.whole("recalibrate_every", 0, low=0, high=LARGEST_NUMBER),
        break_after_minutes=table.whole("break_after_minutes", 45, low=0, high=LARGEST_NUMBER),
        break_after_risk_items=table.whole(
            "break_after_risk_items", 20, low=0, high=LARGEST_NUMBER
        ),
        arm_guess=table.yes_no("arm_guess", True),
        devices=_devices(table),
    )


def _consent(table: Table, setting: Setting) -> Text:
    """Return the consent: written in the protocol, or a text file or TOML with zh and en."""
    if not isinstance(table.content.get("consent"), str):
        is_live = setting.source_kind == LIVE
        return table.words("consent", defaults().consent_live if is_live else defaults().consent)
    path = named_file(table, "consent", setting.folder)
    written = read_text(path)
    if path.suffix == ".toml":
        bilingual = parse_toml(written, str(path))
        return Table(bilingual.file, "", {"consent": bilingual.content}).words("consent")
    if not tidy(written):
        raise StudyError("instruments.empty", file=str(path), key="consent")
    return Text(tidy(written), tidy(written))


def _profile(table: Table, setting: Setting) -> tuple[ProfileField, ...]:
    if not table.has("profile"):
        return defaults().profile
    section = listed(table, "profile", "fields", setting)
    section.only("fields")
    return read_profile(section, "fields")


def _devices(table: Table) -> tuple[str, ...]:
    devices = table.strings("devices", ("desktop", "tablet"))
    if not devices or not set(devices) <= set(DEVICES):
        raise table.refusal("devices", "instruments.not_option", options=", ".join(DEVICES))
    refuse_repeats(table, "devices", devices)
    return devices


SECTIONS: Final = (
    "study", "ethics", "design", "instrument", "sheet", "rater", "labels", "analysis",
    "escalation",
)  # fmt: skip
LANGUAGES: Final = ("zh", "en")
LABEL_MODES: Final = ("blind-then-model", "blind", "correct")


@dataclass(frozen=True, slots=True)
class LoadedProtocol:
    """A protocol with the instrument and the label scheme it uses.

    `text` is the canonical TOML: it holds everything (instrument, consent, practice …) and reads
    back with `parse_protocol` to the same `digest`, the SHA-256 of the content as canonical JSON.
    """

    protocol: Protocol
    instrument: Instrument
    scheme: Scheme
    text: str
    digest: str

    @property
    def support_text_set(self) -> bool:
        """Tell whether the lead has written a support text; else the neutral one is shown."""
        return self.protocol.support_text is not None


def load_protocol(path: Path) -> LoadedProtocol:
    """Return the protocol in a TOML file; files it names stand relative to its folder.

    Raises:
        StudyError: the first thing wrong in it or in a file it names, with file and key.
    """
    return _read(parse_toml(read_text(path), str(path)), path.parent)


def parse_protocol(text: str, name: str = "protocol.toml") -> LoadedProtocol:
    """Return the protocol in a TOML text that names no files (uploaded, or from the database).

    Raises:
        StudyError: the first thing wrong, with `name` and key; a file named in it is refused.
    """
    return _read(parse_toml(text, name), None)


def default_protocol(title: str = "", language: str = "zh") -> LoadedProtocol:
    """Return the protocol of a study that brings none."""
    return _read(
        Table("protocol.toml", "", {"study": {"title": title, "language": language}}), None
    )


def revised(loaded: LoadedProtocol, protocol: Protocol) -> LoadedProtocol:
    """Return a protocol changed in the program, checked as if it had been read from a file.

    `protocol` keeps the instrument and scheme of `loaded`.

    Raises:
        StudyError: a changed value is out of range.
    """
    plain = file_tables(protocol, loaded.instrument, loaded.scheme)
    return _read(Table("protocol.toml", "", plain), None)


def _read(table: Table, folder: Path | None) -> LoadedProtocol:
    table.only(*SECTIONS)
    study = table.child("study")
    study.only("title", "language", "support_text", "source_kind")
    language = study.choice("language", LANGUAGES, "zh")
    source_kind = study.choice("source_kind", SOURCE_KINDS, ARCHIVED)
    wording = table.child("instrument")
    wording.only("scales", "labels", "steps")
    instrument = _instrument(wording, folder)
    scheme = _scheme(wording, folder)
    protocol = Protocol(
        title=study.text("title", ""),
        language=language,
        support_text=study.words("support_text") if study.has("support_text") else None,
        scales=_reference(instrument),
        labels=_reference(scheme),
        steps=read_steps(wording, instrument),
        label_mode=_label_mode(table.child("labels")),
        ethics=read_ethics(table.child("ethics")),
        design=read_design(table.child("design")),
        sheet=read_sheet(table.child("sheet")),
        raters=read_raters(
            table.child("rater"), Setting(folder, instrument, language, source_kind)
        ),
        analysis=read_analysis(table.child("analysis"), instrument),
        source_kind=source_kind,
        escalation=read_escalation(table.child("escalation"), source_kind),
    )
    check_live(table, protocol)
    return _loaded(protocol, instrument, scheme)


def _loaded(protocol: Protocol, instrument: Instrument, scheme: Scheme) -> LoadedProtocol:
    plain = file_tables(protocol, instrument, scheme)
    text = tomli_w.dumps(plain, multiline_strings=True)
    return LoadedProtocol(protocol, instrument, scheme, text, digest(plain))


def _instrument(table: Table, folder: Path | None) -> Instrument:
    if isinstance(table.content.get("scales"), dict):
        return read_instrument(table.child("scales"))
    name = table.text("scales", "cbt-3")
    if folder is None and name not in shipped_instruments():
        raise table.refusal("scales", "protocol.no_files_here")
    return load_instrument(name, folder)


def _scheme(table: Table, folder: Path | None) -> Scheme:
    if isinstance(table.content.get("labels"), dict):
        return read_scheme(table.child("labels"))
    name = table.text("labels", "burns-12")
    if folder is None and name not in shipped_schemes():
        raise table.refusal("labels", "protocol.no_files_here")
    return load_scheme(name, folder)


def _reference(resource: Instrument | Scheme) -> str:
    """Return the id of what is shipped, the digest of what is not (or not in this version)."""
    if isinstance(resource, Instrument):
        same = resource.id in shipped_instruments() and load_instrument(resource.id) == resource
    else:
        same = resource.id in shipped_schemes() and load_scheme(resource.id) == resource
    return resource.id if same else resource.digest


def _label_mode(table: Table) -> str:
    table.only("mode")
    return table.choice("mode", LABEL_MODES, "blind-then-model")
