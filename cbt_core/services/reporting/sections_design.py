"""Flow and design: who and what was in the study, and how it was built."""

from collections.abc import Iterator, Mapping
from typing import Final

from cbt_core.services.reporting.blocks import (
    Block,
    Figure,
    Grid,
    Points,
    Section,
    Subhead,
    figure,
)
from cbt_core.services.reporting.context import ReportContext
from cbt_core.services.reporting.flow_figure import flow_drawing, reason_words
from cbt_core.services.reporting.sheet import Sheet

MINUTE: Final = 60
MOST_CHANCES: Final = 6
"""Probabilities of inclusion that are told one by one."""


def flow(sheet: Sheet) -> Section:
    """Return the drawn flow and the reasons of what was left out."""
    found = sheet.analysis.flow
    blocks: list[Block] = [flow_drawing(found, sheet.language)]
    left_out = [
        *((sheet.w("what_item"), key, sheet.w("why_withdrawn", reason=reason))
          for key, reason in found.items.withdrawn.items()),
        *((sheet.w("what_item"), key, reason) for key, reason in found.items.excluded.items()),
        *((sheet.w("what_rater"), key, reason) for key, reason in found.raters.excluded.items()),
        *((sheet.w("what_rater"), key, sheet.w("why_left")) for key in found.raters.left),
    ]
    if left_out:
        blocks.append(Grid(
            "left_out", sheet.w("table_left_out"), sheet.heads("what:", "id:", "reason:"),
            tuple(left_out),
        ))
    else:
        blocks.append(sheet.words("flow_nothing_left_out"))
    if found.tasks.other or found.tasks.corrected:
        blocks.append(sheet.note(
            "flow_other", corrected=found.tasks.corrected,
            other=_other(sheet, found.tasks.other),
        ))
    return sheet.section("flow", blocks)


def _other(sheet: Sheet, counts: Mapping[str, int]) -> str:
    told = [f"{reason_words(kind, 'kind', sheet.language)} {n}" for kind, n in counts.items()]
    return sheet.list(told) or "0"


def design(sheet: Sheet) -> Section:
    """Return how the study was built: items, systems, raters, blinding, ethics."""
    context = sheet.context
    blocks: list[Block] = [
        Points(tuple(_design(sheet, context))),
        Subhead(sheet.w("sub_blinding")), Points(tuple(_blinding(sheet, context))),
        Subhead(sheet.w("sub_systems")), _systems(sheet),
    ]
    if context.masked:
        blocks.append(sheet.note("provenance_masked"))
    blocks += [Subhead(sheet.w("sub_sources")), _sources(sheet)]
    blocks += [Subhead(sheet.w("sub_people")), Points(tuple(_people(sheet)))]
    profile = _profile(sheet)
    if profile.rows:
        blocks.append(profile)
    return sheet.section("design", blocks)


def _design(sheet: Sheet, context: ReportContext) -> Iterator[str]:
    plan = context.protocol.design
    yield sheet.w("design_items", items=context.items, systems=len(context.systems),
                  possible=context.items_by_risk.get("possible", 0),
                  high=context.items_by_risk.get("high", 0))
    chances = sheet.analysis.flow.items.chances
    if chances:
        told = [sheet.w("chance_of", chance=f"{chance:.3g}", items=n) for chance, n in chances]
        if len(told) > MOST_CHANCES:
            told = [told[0], "…", told[-1]]
        yield sheet.w("design_chances", told=sheet.list(told))
    yield sheet.w("design_panel", panel=sheet.w(f"panel_{plan.panel.value.replace('-', '_')}"),
                  overlap=plan.overlap, seed=plan.seed)
    if plan.repeats:
        yield sheet.w("design_repeats", share=sheet.told(Figure(plan.repeats, form="share")),
                      gap=plan.repeat_gap_tasks)
    else:
        yield sheet.w("design_no_repeats")
    yield sheet.w("design_instrument", name=context.instrument.name(sheet.language),
                  signature=context.instrument.signature,
                  language=sheet.w(f"language_{context.study.language}"))
    if context.first_rating_at and context.last_rating_at:
        yield sheet.w("design_dates", first=context.first_rating_at[:10],
                      last=context.last_rating_at[:10])
    yield _ethics(sheet)


def _ethics(sheet: Sheet) -> str:
    ethics = sheet.context.ethics
    if ethics.committee and ethics.number:
        return sheet.w("ethics_committee", committee=ethics.committee, number=ethics.number)
    if ethics.exempt:
        return sheet.w("ethics_exempt", reason=ethics.reason or sheet.w("not_recorded"))
    return sheet.w("ethics_none")


def _blinding(sheet: Sheet, context: ReportContext) -> Iterator[str]:
    yield sheet.w("blinding_names")
    yield sheet.w("blinding_sides")
    yield sheet.w("blinding_lead")
    yield sheet.w("blinding_guess" if context.protocol.raters.arm_guess else "blinding_no_guess")
    for one in context.gates.telling if context.gates else ():
        if one.auc.value is not None:
            key = "form_told" if one.told else "form_not_told"
            yield sheet.w(key, a=one.first, b=one.second, auc=sheet.told(figure(one.auc)))


def _systems(sheet: Sheet) -> Grid:
    def told(values: tuple[str, ...]) -> str:
        return sheet.list(values) or sheet.w("not_recorded")

    none = sheet.w("no_adapter")
    if sheet.context.masked:
        rows_of = tuple((one.name, one.answers) for one in sheet.context.systems)
        return Grid("systems", sheet.w("table_systems"), sheet.heads("system:", "answers"), rows_of)
    return Grid(
        "systems", sheet.w("table_systems"),
        sheet.heads("system:", "role:", "answers", "model:", "adapter:", "prompt:", "run:"),
        tuple(
            (one.name, sheet.w("role_baseline" if one.is_baseline else "role_system"), one.answers,
             told(one.models), told(tuple(name or none for name in one.adapters)),
             told(one.prompts), told(one.runs))
            for one in sheet.context.systems
        ),
    )


def _sources(sheet: Sheet) -> Grid:
    unknown = sheet.w("not_recorded")
    return Grid(
        "sources", sheet.w("table_sources"), sheet.heads("source:", "licence:", "n_items"),
        tuple((one.source or unknown, one.licence or unknown, one.items)
              for one in sheet.context.sources),
    )


def _people(sheet: Sheet) -> Iterator[str]:
    people = sheet.context.people
    yield sheet.w("people_raters", raters=people.raters, consented=people.consented,
                  versions=sheet.list(people.consent_versions) or sheet.w("not_recorded"))
    if people.also_leads:
        yield sheet.w("people_leads", count=people.also_leads)
    if people.practised:
        yield sheet.w("people_practised", count=people.practised)
    if people.seconds_per_task is not None:
        yield sheet.w("people_time", hours=f"{people.hours:.1f}",
                      minutes=f"{people.seconds_per_task / MINUTE:.1f}")


def _profile(sheet: Sheet) -> Grid:
    found: list[tuple[str, str, int]] = []
    for one in sheet.context.people.profile:
        name = one.name(sheet.language)
        told = [(words(sheet.language), n) for words, n in one.choices if n]
        if not one.choices and one.answered:
            told.append((sheet.w("profile_free"), one.answered))
        if one.declined:
            told.append((sheet.w("profile_declined"), one.declined))
        found += [("" if place else name, *row) for place, row in enumerate(told)]
    return Grid("profile", sheet.w("table_profile"), sheet.heads("question:", "answer:", "raters"),
                tuple(found))
