"""Facts about people: raters and annotators, their number, training, traits, guide."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.services.label_results import LabelResults
from cbt_core.services.reporting.context import ProfileSummary
from cbt_core.services.reporting.facts import (
    Fact,
    Told,
    View,
    answered,
    authors,
    interval,
    listed,
    many,
    not_applicable,
    percent,
    risks,
    said,
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
    found = [guide if examples else said("guide")]
    if practice.practice and not people.practised:
        found.append(said("practice_unused", items=len(practice.practice)))
    elif practice.practice:
        found.append(said(
            "practice", items=many(len(practice.practice), "practice item"),
            mark=percent(practice.pass_mark),
            done=many(people.practised, "rater"),
        ))
    else:
        found.append(said("no_practice"))
    return found


def traits_sentence(view: View) -> Text | None:
    """Return the raters' answers about themselves in counts; None where nobody answered."""
    told = [_question(one) for one in view.context.people.profile if one.answered]
    return said("profile", answers=listed(told, many=True)) if told else None


def _question(one: ProfileSummary) -> Text:
    """Return one question with its counts; free texts are told by their number alone."""
    given = [said("counted", name=words, count=count) for words, count in one.choices if count]
    if not given:
        return said("profile_free", name=one.name, count=one.answered)
    return said("profile_line", name=one.name, counts=listed(given))


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
    found = _labels(view)
    if isinstance(found, Told):
        return found
    return answered(
        said("scheme", name=scheme.name, version=scheme.version, digest=scheme.digest[:8],
             labels=len(scheme.labels)),
        said("label_blind" if found.is_blind else "label_not_blind"),
    )


def annotators(view: View) -> Told:
    """Return the number of annotators, the share labelled by several, and their agreement."""
    found = _labels(view)
    if isinstance(found, Told):
        return found
    counts = Counter(item for mine in found.first.values() for item in mine)
    several = sum(count > 1 for count in counts.values())
    masi = found.agreement.get("alpha_masi")
    return answered(
        said("annotators", count=len(found.first), items=len(counts),
             share=percent(several / max(len(counts), 1))),
        said("alpha_masi", figure=interval(masi)) if isinstance(masi, dict) else None,
    )


def annotator_background(view: View) -> Told:
    """Leave the annotators' background to the authors where something was labelled."""
    found = _labels(view)
    return found if isinstance(found, Told) else authors(said("annotator_background"))


def _labels(view: View) -> LabelResults | Told:
    """Return the labels' figures, or what to tell where there are none."""
    if view.context.labels is not None:
        return view.context.labels
    if view.context.labels_withheld:
        return authors(said("labels_withheld"))
    return not_applicable(said("no_labels"))


FACTS: Final[Mapping[str, Fact]] = {
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
