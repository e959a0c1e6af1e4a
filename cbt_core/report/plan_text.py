"""The analysis plan as a text to deposit: what was decided, in words, with the whole protocol."""

from collections.abc import Iterator

from cbt_core.domain.instrument import Instrument
from cbt_core.domain.protocol import Analysis, Ethics
from cbt_core.domain.study_setup import StudySetup
from cbt_core.version import VERSION
from cbt_core.words import say


def plan_text(
    setup: StudySetup, *, language: str, at: str, items: int, systems: int, protocol: str
) -> str:
    """Return the plan in Markdown; `protocol` is the canonical text that the digest belongs to."""

    def words(key: str, **values: object) -> str:
        return say(f"registration.{key}", language, **values)

    design, digest = setup.protocol.design, setup.digests.protocol
    lines = [
        f"# {words('title', title=setup.study.title)}", "",
        words("frozen", at=at, digest=digest, version=VERSION), "",
        f"## {words('design')}", "",
        words(
            "design_items", items=items, systems=systems, panel=design.panel.value,
            overlap=design.overlap, repeats=design.repeats, gap=design.repeat_gap_tasks,
            seed=design.seed,
        ), "",
        f"## {words('measures')}", "", *_scales(setup.instrument, language), "",
        f"## {words('analysis')}", "", *_analysis(setup.protocol.analysis, language), "",
        f"## {words('planned')}", "", *_planned(setup.protocol.analysis, language), "",
        f"## {words('ethics')}", "", _ethics(setup.protocol.ethics, language), "",
        f"## {words('protocol_text')}", "", "````toml", protocol.rstrip("\n"), "````", "",
    ]
    return "\n".join(lines)


def _scales(instrument: Instrument, language: str) -> Iterator[str]:
    yield f"`{instrument.signature}`"
    yield ""
    for scale in instrument.scales:
        yield "- " + say(
            "registration.scale_line", language, id=scale.id, name=scale.name(language),
            values=", ".join(str(choice.value) for choice in scale.values),
            measure=say(f"registration.{scale.measure}", language),
            level=say(f"registration.level_{scale.level}", language),
        )


def _analysis(plan: Analysis, language: str) -> Iterator[str]:
    def words(key: str, **values: object) -> str:
        return "- " + say(f"registration.{key}", language, **values)

    yield words("baseline", baseline=plan.baseline) if plan.baseline else words("no_baseline")
    if plan.primary_scale and plan.primary_system:
        yield words("primary", system=plan.primary_system, scale=plan.primary_scale)
    else:
        yield words("no_primary")
    if plan.margin is not None:
        yield words("margin", margin=f"{plan.margin:g}")
    yield words("set")
    yield words("agreement", alpha=plan.alpha, bootstrap=plan.bootstrap)
    yield words("comparison")
    for key, texts in (("exclude", plan.exclude), ("looks", plan.looks)):
        yield words(key, text="; ".join(texts)) if texts else words(f"no_{key}")


def _planned(plan: Analysis, language: str) -> Iterator[str]:
    yield from (f"- {text}" for text in plan.planned)
    if not plan.planned:
        yield say("registration.no_planned", language)


def _ethics(ethics: Ethics, language: str) -> str:
    if ethics.committee and ethics.number:
        return say("registration.ethics_committee", language, committee=ethics.committee,
                   number=ethics.number)
    if ethics.exempt and ethics.reason:
        return say("registration.ethics_exempt", language, reason=ethics.reason)
    return say("registration.ethics_none", language)
