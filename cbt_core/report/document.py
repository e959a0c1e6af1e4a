"""The order of a report: its title block and its sections, in one language."""

from collections.abc import Mapping
from typing import Final

from cbt_core.report.blocks import Report
from cbt_core.report.sections import (
    agreement,
    bias,
    comparison,
    design,
    end,
    machine,
    paper,
    safety,
    summary,
)
from cbt_core.report.sheet import Json, Sheet

DAY: Final = 10
BEFORE_CHECKLISTS: Final = (
    summary.summary,
    design.flow,
    design.design,
    agreement.agreement,
    comparison.comparison,
    paper.paper,
    bias.preferences,
    bias.position,
    bias.length,
    bias.retest,
    bias.blinding,
    safety.safety,
    safety.missing,
    safety.sensitivity,
    end.plan,
    machine.judges,
    machine.metrics,
    end.limitations,
    end.methods,
)
AFTER_CHECKLISTS: Final = (end.appendix, end.recompute)


def report_of(sheet: Sheet, checklists: Mapping[str, Json]) -> Report:
    """Return the report of an analysis."""
    analysis, language = sheet.analysis, sheet.language
    return Report(
        language=language,
        title=analysis.title,
        kicker=sheet.w("kicker"),
        facts=_facts(sheet),
        notices=_notices(sheet),
        sections=(
            *(make(sheet) for make in BEFORE_CHECKLISTS),
            end.checklists_summary(sheet, checklists),
            *(make(sheet) for make in AFTER_CHECKLISTS),
        ),
        footer=sheet.w("running", slug=analysis.slug, stage=sheet.w(f"stage_{analysis.stage}")),
    )


def _facts(sheet: Sheet) -> tuple[tuple[str, str], ...]:
    study = sheet.context.study
    facts = [
        (sheet.w("fact_study"), sheet.analysis.slug),
        (sheet.w("fact_stage"), sheet.w(f"stage_{sheet.analysis.stage}")),
    ]
    if study.locked_at:
        facts.append((sheet.w("fact_locked"), study.locked_at[:DAY]))
    if study.unblinded_at:
        facts.append((sheet.w("fact_unblinded"), study.unblinded_at[:DAY]))
    facts += [
        (sheet.w("fact_systems"), _systems(sheet)),
        (sheet.w("fact_instrument"), sheet.context.instrument.signature),
        (sheet.w("fact_signature"), sheet.analysis.signature),
    ]
    return tuple(facts)


def _systems(sheet: Sheet) -> str:
    if sheet.closed("comparison"):
        return sheet.w("systems_closed", count=len(sheet.context.systems))
    names = sheet.list([one.name for one in sheet.context.systems])
    return sheet.w("systems_masked", names=names) if sheet.analysis.masked else names


def _notices(sheet: Sheet) -> tuple[str, ...]:
    keys = ["notice_research"]
    if sheet.context.study.demonstration:
        keys.append("notice_demonstration")
    if sheet.closed("comparison"):
        keys.append("notice_open")
    elif sheet.analysis.masked:
        keys.append("notice_masked")
    if not sheet.context.ethics.recorded:
        keys.append("notice_ethics")
    return tuple(sheet.w(key) for key in keys)
