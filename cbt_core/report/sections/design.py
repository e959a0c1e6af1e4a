"""Flow and design: who and what was in the study, and how it was built.

Facts for the checklists: instrument, numbers planned, order, sides,
blinding; raters and annotators,
their number, training, traits, guide.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from cbt_core.analysis.labels import LabelResults
from cbt_core.domain.instrument import Text
from cbt_core.report.blocks import Block, Figure, Grid, Points, Section, Subhead, figure
from cbt_core.report.context import ProfileSummary, ReportContext
from cbt_core.report.drawing import flow_drawing, reason_words
from cbt_core.report.sheet import (
    Fact,
    Sheet,
    Told,
    View,
    answered,
    authors,
    instrument_line,
    interval,
    listed,
    many,
    not_applicable,
    percent,
    risks,
    said,
    scale_line,
    setting,
)


def raters(view: View) -> Told:
    """Return how many raters' scores are in the results."""
    flow = view.analysis.flow.raters
    return answered(
        said("raters", count=flow.analysed),
        said("raters_excluded", count=len(flow.excluded)) if flow.excluded else None,
    )


def expertise(view: View) -> Told:
    """Leave the verdict to the authors, with what raters said of themselves."""
    return authors(traits_sentence(view), said("expertise"))


def leads_among_raters(view: View) -> Told:
    """Return how many raters lead the study; other authors among them the tool does not know."""
    both = view.context.people.also_leads
    if both:
        return answered(said("also_lead", count=both))
    return authors(said("no_lead_rates"))


def training(view: View) -> Told:
    """Return what raters went through before the first task."""
    return answered(*training_sentences(view), said("other_training"))


def training_sentences(view: View) -> list[Text]:
    """Return consent, guide and practice as sentences."""
    practice, people = view.context.protocol.raters, view.context.people
    examples = len(view.context.instrument.examples)
    guide = said("guide_examples", examples=many(examples, "worked example"))
    sentences = [guide if examples else said("guide")]
    if practice.practice and not people.practised:
        sentences.append(said("practice_unused", items=len(practice.practice)))
    elif practice.practice:
        sentences.append(said(
            "practice", items=many(len(practice.practice), "practice item"),
            mark=percent(practice.pass_mark),
            done=many(people.practised, "rater"),
        ))
    else:
        sentences.append(said("no_practice"))
    return sentences


def traits_sentence(view: View) -> Text | None:
    """Return the raters' answers about themselves in counts; None where nobody answered."""
    answers = [_question(one) for one in view.context.people.profile if one.answered]
    return said("profile", answers=listed(answers, many=True)) if answers else None


def _question(question: ProfileSummary) -> Text:
    """Return one question with its counts; free texts are told by their number alone."""
    given = [said("counted", name=words, count=count) for words, count in question.choices if count]
    if not given:
        return said("profile_free", name=question.name, count=question.answered)
    return said("profile_line", name=question.name, counts=listed(given))


def rater_traits(view: View) -> Told:
    """Return what raters said of themselves."""
    return answered(traits_sentence(view))


def characteristics(view: View) -> Told:
    """Return what is known of raters and items."""
    context = view.context
    length = context.mean_answer_characters
    return answered(
        traits_sentence(view) or said("profile_none"),
        said("hours", hours=f"{context.people.hours:.1f}") if context.people.hours else None,
        risks(view),
        said("answer_length", characters=f"{length:.0f}") if length else None,
    )


def assessors(view: View) -> Told:
    """Return who judged, how they were instructed; agreement stands with its own item."""
    agreed = said("agreement_elsewhere")
    return answered(
        said("raters", count=view.analysis.flow.raters.analysed),
        traits_sentence(view) or said("profile_none"),
        *training_sentences(view), agreed, said("qualification"),
    )


def annotation_guide(view: View) -> Told:
    """Return the label scheme, for studies in which something was labelled."""
    scheme = view.context.scheme
    labels = _labels(view)
    if isinstance(labels, Told):
        return labels
    return answered(
        said("scheme", name=scheme.name, version=scheme.version, digest=scheme.digest[:8],
             labels=len(scheme.labels)),
        said("label_blind" if labels.is_blind else "label_not_blind"),
    )


def annotators(view: View) -> Told:
    """Return the number of annotators, the share labelled by several, and their agreement."""
    labels = _labels(view)
    if isinstance(labels, Told):
        return labels
    counts = Counter(item for mine in labels.first.values() for item in mine)
    several = sum(count > 1 for count in counts.values())
    return answered(
        said("annotators", count=len(labels.first), items=len(counts),
             share=percent(several / max(len(counts), 1))),
        said("alpha_masi", figure=interval(labels.agreement.alpha_masi)),
    )


def annotator_background(view: View) -> Told:
    """Leave the annotators' background to the authors where something was labelled."""
    labels = _labels(view)
    return labels if isinstance(labels, Told) else authors(said("annotator_background"))


def _labels(view: View) -> LabelResults | Told:
    """Return the labels' figures, or what to tell where there are none."""
    if view.context.labels is not None:
        return view.context.labels
    if view.context.labels_withheld:
        return authors(said("labels_withheld"))
    return not_applicable(said("no_labels"))


PEOPLE_FACTS: Final[Mapping[str, Fact]] = {
    "annotation_guide": annotation_guide,
    "annotator_background": annotator_background,
    "annotators": annotators,
    "assessors": assessors,
    "characteristics": characteristics,
    "expertise": expertise,
    "leads_among_raters": leads_among_raters,
    "rater_traits": rater_traits,
    "raters": raters,
    "training": training,
}


def experiment(view: View) -> Told:
    """Return which experiment this is."""
    study = view.context.study
    scales = listed(scale.name for scale in view.context.instrument.scales)
    return answered(said(
        "experiment", title=study.title, items=view.analysis.flow.items.rated, scales=scales,
        systems=len(view.context.systems), slug=study.slug, data=setting(view, "data"),
    ))


def instrument(view: View) -> Told:
    """Return the instrument with its scales and where it comes from."""
    tool = view.context.instrument
    origin = said("instrument_source", source=tool.source) if tool.source.en else None
    return answered(
        said("instrument", line=instrument_line(view), scales=listed(map(scale_line, tool.scales))),
        origin,
    )


def planned_numbers(view: View) -> Told:
    """Return the numbers of the protocol; why these numbers only the authors know."""
    design, plan = view.context.protocol.design, view.context.protocol.analysis
    margin = None if plan.margin is None else said("margin", margin=f"{plan.margin:g}")
    return authors(
        said("planned_numbers", items=view.analysis.flow.items.imported, overlap=design.overlap,
             repeats=percent(design.repeats)),
        margin,
        said("why_numbers"),
    )


def sampling(view: View) -> Told:
    """Leave sampling to the authors; told is what the probabilities of inclusion say of it."""
    items = view.analysis.flow.items
    known = sum(count for _, count in items.chances)
    if not known:
        return authors(said("sampling", items=items.imported))
    low, high = items.chances[0][0], items.chances[-1][0]
    return authors(
        said("sampling_equal" if low == high else "sampling_unequal", items=items.imported,
             low=f"{low:.3g}", high=f"{high:.3g}"),
        said("sampling_partly", known=known) if known < items.imported else None,
        said("sampling_frame"),
    )


def power(_view: View) -> Told:
    """Leave the power analysis to the authors: planning is not stored with a study."""
    return authors(said("power"))


def panel_sentence(view: View) -> Text:
    """Return how many answers a task shows."""
    return said(f"panel_{view.context.protocol.design.panel.value.replace('-', '_')}")


def blinding_sentence(view: View) -> Text:
    """Return what raters could and could not know."""
    return said("blind_single" if view.is_single else "blind")


def rating_process(view: View) -> Told:
    """Return order, sides, blinding and the time between repeats."""
    design = view.context.protocol.design
    repeated = view.analysis.flow.tasks.other.get("repeat", 0)
    return answered(
        panel_sentence(view),
        said("order_single" if view.is_single else "order", seed=design.seed),
        blinding_sentence(view),
        said("repeat_gap_single" if view.is_single else "repeat_gap", count=repeated,
             gap=design.repeat_gap_tasks) if repeated else None,
        said("corrections", count=view.analysis.flow.tasks.corrected),
    )


def independence(view: View) -> Told:
    """Return that raters worked apart; how far they met elsewhere is not known."""
    both = view.context.people.also_leads
    return answered(
        said("independent"), said("also_lead", count=both) if both else None, said("outside")
    )


def objectives(view: View) -> Told:
    """Return that this is an evaluation, with the primary comparison where it may be named."""
    count = len(view.context.systems)
    primary = view.analysis.primary
    return answered(
        said("objective_one" if count == 1 else "objective", systems=count),
        None if primary is None or view.analysis.reference is None else said(
            "primary", system=primary[1], reference=view.analysis.reference,
            scale=_scale_name(view, primary[0]),
        ),
    )


def _scale_name(view: View, scale: str) -> Text:
    return next(one.name for one in view.context.instrument.scales if one.id == scale)


DESIGN_FACTS: Final[Mapping[str, Fact]] = {
    "experiment": experiment,
    "independence": independence,
    "instrument": instrument,
    "objectives": objectives,
    "planned_numbers": planned_numbers,
    "power": power,
    "rating_process": rating_process,
    "sampling": sampling,
}


MINUTE: Final = 60
MOST_CHANCES: Final = 6
"""Probabilities of inclusion that are told one by one."""


def flow(sheet: Sheet) -> Section:
    """Return the drawn flow and the reasons of what was left out."""
    stages = sheet.analysis.flow
    blocks: list[Block] = [flow_drawing(stages, sheet.language)]
    left_out = [
        *((sheet.w("what_item"), key, sheet.w("why_withdrawn", reason=reason))
          for key, reason in stages.items.withdrawn.items()),
        *((sheet.w("what_item"), key, reason) for key, reason in stages.items.excluded.items()),
        *((sheet.w("what_rater"), key, reason) for key, reason in stages.raters.excluded.items()),
        *((sheet.w("what_rater"), key, sheet.w("why_left")) for key in stages.raters.left),
    ]
    if left_out:
        blocks.append(Grid(
            "left_out", sheet.w("table_left_out"), sheet.heads("what:", "id:", "reason:"),
            tuple(left_out),
        ))
    else:
        blocks.append(sheet.words("flow_nothing_left_out"))
    if stages.tasks.other or stages.tasks.corrected:
        blocks.append(sheet.note(
            "flow_other", corrected=stages.tasks.corrected,
            other=_other(sheet, stages.tasks.other),
        ))
    return sheet.section("flow", blocks)


def _other(sheet: Sheet, counts: Mapping[str, int]) -> str:
    phrases = [f"{reason_words(kind, 'kind', sheet.language)} {n}" for kind, n in counts.items()]
    return sheet.list(phrases) or "0"


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
        phrases = [sheet.w("chance_of", chance=f"{chance:.3g}", items=n) for chance, n in chances]
        if len(phrases) > MOST_CHANCES:
            phrases = [phrases[0], "…", phrases[-1]]
        yield sheet.w("design_chances", told=sheet.list(phrases))
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
    for pair in context.gates.telling if context.gates else ():
        if pair.auc.value is not None:
            key = "form_told" if pair.told else "form_not_told"
            yield sheet.w(key, a=pair.first, b=pair.second, auc=sheet.told(figure(pair.auc)))


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
    rows: list[tuple[str, str, int]] = []
    for question in sheet.context.people.profile:
        name = question.name(sheet.language)
        answers = [(words(sheet.language), n) for words, n in question.choices if n]
        if not question.choices and question.answered:
            answers.append((sheet.w("profile_free"), question.answered))
        if question.declined:
            answers.append((sheet.w("profile_declined"), question.declined))
        rows += [("" if place else name, *row) for place, row in enumerate(answers)]
    return Grid("profile", sheet.w("table_profile"), sheet.heads("question:", "answer:", "raters"),
                tuple(rows))
