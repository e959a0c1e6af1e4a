"""A protocol as the tables of its file, every default written out; its digest stands on them."""

from dataclasses import asdict

from cbt_core.domain.instrument import Instrument, Scheme, Text
from cbt_core.domain.protocol import ProfileField, Protocol, Raters
from cbt_core.instruments.canonical import content


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
