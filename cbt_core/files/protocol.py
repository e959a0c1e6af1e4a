"""Reading a protocol file and writing it back whole: what is decided before data, in one text."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import tomli_w

from cbt_core.domain.instrument import Instrument, Scheme, Text
from cbt_core.domain.protocol import ARCHIVED, ProfileField, Protocol, Raters
from cbt_core.files.protocol_escalation import SOURCE_KINDS, check_live, read_escalation
from cbt_core.files.protocol_raters import read_raters
from cbt_core.files.protocol_sections import (
    read_analysis,
    read_design,
    read_ethics,
    read_sheet,
    read_steps,
)
from cbt_core.files.protocol_setting import Setting
from cbt_core.instruments import (
    load_instrument,
    load_scheme,
    shipped_instruments,
    shipped_schemes,
)
from cbt_core.instruments.canonical import content, digest
from cbt_core.instruments.reading import Table, parse_toml, read_text
from cbt_core.instruments.scales import read_instrument
from cbt_core.instruments.schemes import read_scheme

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
    plain = _content(protocol, loaded.instrument, loaded.scheme)
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
    plain = _content(protocol, instrument, scheme)
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


def _reference(found: Instrument | Scheme) -> str:
    """Return the id of what is shipped, the digest of what is not (or not in this version)."""
    if isinstance(found, Instrument):
        same = found.id in shipped_instruments() and load_instrument(found.id) == found
    else:
        same = found.id in shipped_schemes() and load_scheme(found.id) == found
    return found.id if same else found.digest


def _label_mode(table: Table) -> str:
    table.only("mode")
    return table.choice("mode", LABEL_MODES, "blind-then-model")


def _content(protocol: Protocol, instrument: Instrument, scheme: Scheme) -> dict[str, object]:
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
