"""Plan and deviations, limitations, methods, checklists, the instrument, how to recompute.

Facts for the checklists: ethics, protocol, registration, what can be computed again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any, Final

from cbt_core.domain.instrument import Text
from cbt_core.report.blocks import Block, Cell, Grid, Points, Section, Subhead, Words
from cbt_core.report.paragraphs import limitations as limitations_of
from cbt_core.report.paragraphs import methods_paragraph
from cbt_core.report.sheet import (
    Fact,
    Json,
    Sheet,
    Told,
    View,
    answered,
    authors,
    date,
    said,
    setting,
)
from cbt_core.version import VERSION
from cbt_core.words import LANGUAGES, say


def ethics(view: View) -> Told:
    """Return the decision on record and the signed consents; without a record, ask."""
    entry, people = view.context.ethics, view.context.people
    consent = said(
        "consent", count=people.consented, version=", ".join(people.consent_versions)
    ) if people.consented else None
    if entry.committee and entry.number:
        until = said("ethics_until", date=entry.valid_until) if entry.valid_until else None
        return answered(
            said("ethics_committee", committee=entry.committee, number=entry.number), until, consent
        )
    if entry.recorded:
        return answered(said("ethics_exempt", reason=entry.reason), consent)
    return authors(said("ethics_missing"), consent)


def protocol(view: View) -> Told:
    """Return which protocol is in force, since when, and what became of it."""
    fixed = view.analysis.registered
    return answered(
        said("protocol", digest=fixed.digest[:16], date=date(fixed.at)),
        said("amended", count=len(fixed.amendments), late=len(fixed.deviations))
        if fixed.amendments else said("not_amended"),
        said("protocol_place"),
    )


def registration(view: View) -> Told:
    """Return the frozen plan; the register and its number only the authors know."""
    return authors(frozen(view), said("register_place"))


def preregistration(view: View) -> Told:
    """Return whether the plan was frozen before the first rating."""
    if view.analysis.registered.declared_at is None:
        return authors(frozen(view), said("register_place"))
    return answered(frozen(view), said("register_link"))


def frozen(view: View) -> Text:
    """Return how the plan stands to the first rating."""
    fixed = view.analysis.registered
    if fixed.declared_at:
        digest = (fixed.declared_digest or "")[:16]
        return said("frozen", date=date(fixed.declared_at), digest=digest)
    if fixed.before:
        return said("stood_before", digest=fixed.digest[:16])
    return said("changed_after", version=fixed.plan_version, digest=fixed.plan_digest[:16])


def code(view: View) -> Told:
    """Return how the figures can be computed again."""
    return answered(said(
        "code", version=VERSION, seed=setting(view, "seed"), data=setting(view, "data"),
        protocol=view.analysis.registered.digest[:8],
    ), said("code_place"))


def materials(view: View) -> Told:
    """Leave the address to the authors, with what there is to deposit."""
    return authors(said("materials", protocol=view.analysis.registered.digest[:8]))


def detailed_results(_view: View) -> Told:
    """Return what goes with the report; where it is public only the authors know."""
    return answered(said("detailed"), said("detailed_place"))


def personal_data(view: View) -> Told:
    """Leave it to the authors, with what the desk stores of raters."""
    return authors(said("personal_data", fields=len(view.context.protocol.raters.profile)))


def special_data(_view: View) -> Told:
    """Leave it to the authors, with what to think of."""
    return authors(said("special_data"))


STUDY_FACTS: Final[Mapping[str, Fact]] = {
    "code": code,
    "detailed_results": detailed_results,
    "ethics": ethics,
    "materials": materials,
    "personal_data": personal_data,
    "preregistration": preregistration,
    "protocol": protocol,
    "registration": registration,
    "special_data": special_data,
}


DAY: Final = 10
SHOWN: Final = 12
STATUSES: Final = ("answered", "not_applicable", "authors")


def plan(sheet: Sheet) -> Section:
    """Return the plan, how it stands to the data, and every deviation."""
    fixed = sheet.analysis.registered
    points = [sheet.w(
        "plan_version", version=fixed.plan_version, digest=fixed.plan_digest[:SHOWN],
        first=(fixed.first_rating_at or "–")[:DAY],
    )]
    if fixed.declared_at:
        points.append(sheet.w("plan_declared", at=fixed.declared_at[:DAY],
                            digest=(fixed.declared_digest or "")[:SHOWN]))
    else:
        points.append(sheet.w("plan_not_declared"))
    points.append(sheet.w("plan_intact" if fixed.intact else "plan_not_intact"))
    blocks: list[Block] = [Points(tuple(points)), *_primary(sheet), *_planned(sheet), _marks(sheet),
                           *_amendments(sheet)]
    return sheet.section("plan", blocks)


def _primary(sheet: Sheet) -> Iterator[Block]:
    primary = sheet.analysis.primary
    if primary:
        yield sheet.words("plan_primary", scale=sheet.scale(primary[0]), system=primary[1])
    elif sheet.analysis.masked and sheet.context.protocol.analysis.primary_scale:
        yield sheet.words("plan_primary_masked",
                          scale=sheet.scale(sheet.context.protocol.analysis.primary_scale))
    else:
        yield sheet.words("plan_no_primary")


def _planned(sheet: Sheet) -> Iterator[Block]:
    yield Subhead(sheet.w("sub_planned"))
    if sheet.analysis.plan:
        yield Points(sheet.analysis.plan)
    else:
        yield sheet.words("plan_nothing")


def _marks(sheet: Sheet) -> Grid:
    return Grid(
        "planned", sheet.w("table_planned"), sheet.heads("section:", "status:"),
        tuple((sheet.w(f"part_{name}"), sheet.w("mark_planned" if yes else "mark_exploratory"))
              for name, yes in sheet.analysis.planned.items()),
        notes=(sheet.w("note_planned"),),
    )


def _amendments(sheet: Sheet) -> Iterator[Block]:
    yield Subhead(sheet.w("sub_deviations"))
    if not sheet.context.amendments:
        yield sheet.words("no_amendments")
        return
    yield Grid(
        "amendments", sheet.w("table_amendments"),
        sheet.heads("version:", "date:", "actor:", "reason:", "changed:", "when:"),
        tuple(
            (str(one.version), one.at[:DAY], one.actor, one.reason,
             sheet.list(one.changed) or None,
             sheet.w("after_first" if one.after_first_rating else "before_first"))
            for one in sheet.context.amendments
        ),
    )


def limitations(sheet: Sheet) -> Section:
    """Return what the study cannot say."""
    sentences = limitations_of(sheet.analysis, sheet.context, sheet.language)
    return sheet.section("limitations", [Points(tuple(sentences))])


def methods(sheet: Sheet) -> Section:
    """Return the methods paragraph in both languages, the report's first."""
    blocks: list[Block] = [sheet.words("methods_about")]
    for language in (sheet.language, *(one for one in LANGUAGES if one != sheet.language)):
        blocks += [
            Subhead(sheet.w(f"language_{language}")),
            Words(methods_paragraph(sheet.analysis, sheet.context, language), "paste", language),
        ]
    return sheet.section("methods", blocks)


def checklists_summary(sheet: Sheet, checklists: Mapping[str, Json]) -> Section:
    """Return how far each checklist is filled; the answers stand in the JSON files."""
    cells: tuple[tuple[Cell, ...], ...] = tuple(
        (sheet.w(f"checklist_{name}"), f"{name}.json", *_statuses(one))
        for name, one in checklists.items()
    )
    grid = Grid(
        "checklists", sheet.w("table_checklists"),
        sheet.heads("checklist:", "file:", *STATUSES), cells,
    )
    blocks: list[Block] = [sheet.words("checklists_about"), grid]
    for name, checklist in checklists.items():
        questions = tuple(_questions(checklist, sheet.language))
        if questions:
            title = sheet.w("sub_questions", checklist=sheet.w(f"checklist_{name}"))
            blocks += [Subhead(title), Points(questions, is_fine=True)]
    return sheet.section("checklists", blocks)


def _questions(checklist: Json, language: str) -> Iterator[str]:
    """Yield what is left to the authors, with the item's number and what is known so far."""
    for entry in _entries(checklist):
        if entry["state"] == "authors":
            asked = f"{entry['id']}. {entry['ask'][language]}"
            known = entry["reason"]
            yield say("report.asked_known", language, asked=asked,
                      known=known[language]) if known else asked


def _entries(checklist: Json) -> list[dict[str, Any]]:
    items = checklist["items"]
    return items if isinstance(items, list) else []


def _statuses(checklist: Json) -> tuple[int, ...]:
    counts = Counter(str(one["state"]) for one in _entries(checklist))
    return tuple(counts[status] for status in STATUSES)


def appendix(sheet: Sheet) -> Section:
    """Return the instrument with every anchor, as raters saw it."""
    instrument, language = sheet.context.instrument, sheet.context.study.language
    blocks: list[Block] = [
        sheet.words("appendix_about", name=instrument.name(language),
                    signature=instrument.signature),
    ]
    for scale in instrument.scales:
        blocks += [
            Subhead(f"{scale.name(language)} ({scale.id})"),
            Words(scale.question(language), lang=language),
            Grid(
                f"instrument_{scale.id}", sheet.w("table_anchors", scale=scale.name(language)),
                sheet.heads("value:", "label:", "anchor:"),
                tuple((str(choice.value), choice.label(language), choice.anchor(language))
                      for choice in scale.values),
            ),
        ]
    source = instrument.source(language)
    if source:
        blocks.append(Words(source, "note", language))
    return sheet.section("appendix", blocks)


def recompute(sheet: Sheet) -> Section:
    """Return the command that writes this report again, and the signature that must match."""
    slug, language = sheet.analysis.slug, sheet.language
    design, plan = sheet.context.protocol.design, sheet.context.protocol.analysis
    options = (
        f"--values {_quoted(_values(sheet))} --bootstrap {plan.bootstrap} --seed {design.seed}"
    )
    command = (
        f"python -m cbt_core study report {slug} --out report --report-lang {language}\n"
        f"python -m cbt_core study export {slug} --out data"
        f"{'' if sheet.analysis.masked else ' --unblinded'}\n"
        f"python -m cbt_core agreement data/ratings.csv --out agreement.json {options}\n"
    )
    if sheet.analysis.reference:
        command += (
            "python -m cbt_core compare data/ratings.csv "
            f"--baseline {_quoted(sheet.analysis.reference)} --out compare.json {options}\n"
        )
    return sheet.section("recompute", [
        sheet.words("recompute_about"), Words(command.rstrip("\n"), "code"),
        sheet.words("signature_about"), Words(sheet.analysis.signature, "code"),
    ])


def _values(sheet: Sheet) -> str:
    """Return the values of every scale as the commands take them."""
    return ";".join(
        f"{scale.id}={','.join(str(choice.value) for choice in scale.values)}"
        for scale in sheet.context.instrument.scales if scale.id in sheet.analysis.scales
    )


def _quoted(name: str) -> str:
    """Return a name as a shell takes it."""
    return quote(name)
