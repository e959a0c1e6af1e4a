"""Summary, flow, design: what a reader needs before any figure."""

from collections.abc import Iterator, Mapping
from typing import Final

from cbt_core.services.reporting.blocks import (
    Block,
    Figure,
    Grid,
    Points,
    Section,
    Subhead,
    Words,
    figure,
)
from cbt_core.services.reporting.context import ReportContext
from cbt_core.services.reporting.flow_figure import flow_drawing, reason_words
from cbt_core.services.reporting.sheet import LEVEL, Json, Sheet, at, items, number, rows
from cbt_core.stats.ratings import POOLED

MINUTE: Final = 60


def summary(sheet: Sheet) -> Section:
    """Return what was found, in plain words; first whether the two tests disagree."""
    sentences = [
        *_comparisons(sheet), *_agreement(sheet), *_safety(sheet), *_missing(sheet),
        *_form(sheet), _plan(sheet),
    ]
    return sheet.section("summary", [_disagreement(sheet), Points(tuple(sentences))])


def _disagreement(sheet: Sheet) -> Words:
    if sheet.analysis.comparison is None:
        return Words(_no_comparison(sheet), "strong")
    disagree = [
        sheet.w("disagree_one", scale=sheet.scale(scale), system=str(one["system"]))
        for scale, one in comparisons(sheet) if one.get("tests_disagree")
    ]
    if disagree:
        return Words(sheet.w("disagree", where=sheet.list(disagree)), "strong")
    untested = [one for _, one in comparisons(sheet) if one.get("tests_disagree") is None]
    return Words(sheet.w("disagree_untested" if untested else "disagree_none"), "strong")


def _no_comparison(sheet: Sheet) -> str:
    if sheet.closed("comparison"):
        return sheet.w("summary_closed")
    return sheet.w("summary_one_system")


def comparisons(sheet: Sheet) -> Iterator[tuple[str, Json]]:
    """Yield scale and comparison of every system with the reference."""
    for scale, found in items(at(sheet.analysis.comparison, "scales")):
        for one in rows(at(found, "comparisons")):
            yield scale, one


def _comparisons(sheet: Sheet) -> Iterator[str]:
    found = sorted(comparisons(sheet), key=lambda pair: not pair[1].get("primary"))
    for scale, one in found:
        yield _compared(sheet, scale, one)


def _compared(sheet: Sheet, scale: str, one: Json) -> str:
    difference = figure(one["difference"])
    kind = sheet.w("kind_primary" if one.get("primary") else "kind_secondary")
    if difference.value is None:
        return sheet.w("summary_undefined", scale=sheet.scale(scale), system=one["system"],
                       reason=sheet.reason(difference.reason))
    return sheet.w(
        "summary_compared", scale=sheet.scale(scale), system=one["system"], kind=kind,
        reference=sheet.analysis.reference, difference=sheet.told(difference),
        crossed=sheet.told(figure(one["difference_crossed"])), verdict=_verdict(sheet, one),
    )


def _verdict(sheet: Sheet, one: Json) -> str:
    p, holm = number(one.get("permutation_p")), number(one.get("p_holm"))
    crossed = number(at(one, "difference_crossed", "p"))
    if one.get("tests_disagree"):
        return sheet.w("verdict_disagree")
    if p is None or p >= LEVEL:
        return sheet.w("verdict_none")
    if not one.get("primary") and holm is not None and holm >= LEVEL:
        return sheet.w("verdict_not_after_holm")
    return sheet.w("verdict_difference" if crossed is not None else "verdict_item_only")


def _agreement(sheet: Sheet) -> Iterator[str]:
    for scale, strata in items(sheet.analysis.agreement.get("scales")):
        pooled = at(strata, POOLED)
        nominal = scale in sheet.analysis.nominal
        yield sheet.w(
            "summary_agreement", scale=sheet.scale(scale),
            percent=sheet.told(figure(at(pooled, "percent_agreement"), "share")),
            alpha=sheet.told(figure(at(pooled, "alpha_nominal" if nominal else "alpha_ordinal"))),
            name="AC1" if nominal else "AC2",
            ac=sheet.told(figure(at(pooled, "ac1" if nominal else "ac2_quadratic"))),
        )


def _safety(sheet: Sheet) -> Iterator[str]:
    serious = (sheet.analysis.safety or {}).get("serious")
    if serious is None:
        return
    told = [
        sheet.w("summary_flagged", system=name, count=one.by_any.count, n=one.by_any.n)
        for name, one in serious.systems.items()
    ]
    yield sheet.w("summary_safety", told=sheet.list(told))


def _missing(sheet: Sheet) -> Iterator[str]:
    expected = sum(one.expected for one in sheet.analysis.missingness)
    given = sum(one.given for one in sheet.analysis.missingness)
    if expected:
        share = sheet.told(Figure(1 - given / expected, form="share"))
        yield sheet.w("summary_missing", missing=expected - given, expected=expected, share=share)


def _form(sheet: Sheet) -> Iterator[str]:
    for one in sheet.context.gates.telling if sheet.context.gates else ():
        if one.told:
            yield sheet.w("summary_form", a=one.first, b=one.second,
                          auc=sheet.told(figure(one.auc)))


def _plan(sheet: Sheet) -> str:
    count = len(sheet.context.deviations)
    key = "summary_plan_before" if sheet.analysis.registered.before else "summary_plan_changed"
    return sheet.w(key, deviations=count)


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

    if sheet.context.masked:
        rows_of = tuple((one.name, one.answers) for one in sheet.context.systems)
        return Grid("systems", sheet.w("table_systems"), sheet.heads("system:", "answers"), rows_of)
    return Grid(
        "systems", sheet.w("table_systems"),
        sheet.heads("system:", "role:", "answers", "model:", "adapter:", "prompt:", "run:"),
        tuple(
            (one.name, sheet.w("role_baseline" if one.is_baseline else "role_system"), one.answers,
             told(one.models), told(one.adapters), told(one.prompts), told(one.runs))
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
