"""Before the first task: consent, profile, guide, practice; one step at a time."""

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.protocol import Practice, ProfileField
from cbt_core.domain.study import Role
from cbt_core.errors import StudyError
from cbt_core.instruments.shipped import defaults
from cbt_core.services.desk import admission
from cbt_core.services.desk.admission import MyStudy, PracticeResult
from pages.ui import chrome
from pages.ui.guides import show_guide, show_scheme_guide
from pages.ui.session import database, now, require_person
from pages.ui.widgets import chosen_study, literal, plain, refuse
from pages.ui.words import language, t

STEPS = ("consent", "profile", "guide", "practice", "held")


def consent(person: Person, study: MyStudy) -> None:
    """Show the consent and the content notice; go on only when both are accepted."""
    st.header(t("begin.consent"))
    with st.container(border=True, key="paper"):
        plain(admission.consent_text(study.setup)(language()))
    st.header(t("begin.content_notice"))
    plain(admission.content_notice(study.setup)(language()))
    support = study.setup.protocol.support_text or defaults().support_text
    plain(support(language()), look="small", key="support")
    agreed = st.checkbox(t("begin.agree"), key="agree")
    if st.button(t("begin.accept"), type="primary", disabled=not agreed):
        admission.accept_consent(
            database(), person, slug=study.slug, now=now(), role=study.role
        )
        st.rerun()
    st.caption(t("begin.decline"))


def profile(person: Person, study: MyStudy) -> None:
    """Ask about the person; every question may be declined."""
    st.header(t("begin.profile"))
    st.caption(t("begin.profile_about"))
    with st.form("profile", enter_to_submit=False):
        answers = {
            field.id: ask(field) for field in admission.profile_fields(study.setup)
        }
        sent = st.form_submit_button(t("begin.next"), type="primary")
    if sent:
        admission.answer_profile(
            database(), person, slug=study.slug, answers=answers, now=now(), role=study.role
        )
        st.rerun()


def ask(field: ProfileField) -> str | None:
    """Draw one profile question; None means that the person declines."""
    if not field.choices:
        return st.text_input(
            literal(field.name(language())), max_chars=200, key=f"profile-{field.id}",
            placeholder=t("begin.may_decline"),
        ) or None
    names = dict(field.choices)
    return st.radio(
        literal(field.name(language())), [None, *names], horizontal=True,
        key=f"profile-{field.id}",
        format_func=lambda one: (
            t("begin.declined") if one is None else literal(names[one](language()))
        ),
    )


def guide(person: Person, study: MyStudy) -> None:
    """Show the guide once before the work begins: of the scales, or of the labels."""
    (show_scheme_guide if study.role is Role.ANNOTATOR else show_guide)(study.setup)
    if st.button(t("begin.guide_read"), type="primary"):
        admission.finish_guide(
            database(), person, slug=study.slug, now=now(), role=study.role
        )
        st.rerun()


def practice(person: Person, study: MyStudy) -> None:
    """Show the next practice item, then its feedback."""
    if "practice_result" in st.session_state:
        done, result = st.session_state["practice_result"]
        feedback(done, result, study)
        return
    item, number, count = admission.practice_item(database(), person, slug=study.slug, now=now())
    if item is None:
        st.rerun()
        return
    st.header(t("begin.practice", number=number, count=count))
    st.caption(t("begin.practice_about"))
    scores = ask_practice(item, study, number)
    if scores is None:
        return
    marked = admission.answer_practice(
        database(), person, slug=study.slug, item=item.id, scores=scores, now=now()
    )
    st.session_state["practice_result"] = (item, marked)
    st.rerun()


def ask_practice(
    item: Practice, study: MyStudy, number: int
) -> dict[str, dict[str, int]] | None:
    """Draw a practice item; return the scores once all are given and sent."""
    plain(item.question, look="strong", key="practice-question")
    plain(item.description)
    words = study.setup.protocol.language
    scores: dict[str, dict[str, int]] = {}
    with st.form(f"practice-{number}", enter_to_submit=False, border=False):
        for column, (slot, answer) in zip(
            st.columns(len(item.answers)), item.answers.items(), strict=True
        ):
            with column, st.container(border=True, key=f"practice-slot-{slot}"):
                plain(f"{t('begin.answer')} {slot}", look="strong", key=f"slot-{slot}")
                plain(answer)
                for scale_id in item.key.get(slot, {}):
                    scale = study.setup.instrument.scale(scale_id)
                    labels = {v.value: literal(f"{v.value} {v.label(words)}") for v in scale.values}
                    given = st.radio(
                        literal(scale.name(words)), list(labels), index=None, horizontal=True,
                        key=f"practice-{number}-{slot}-{scale_id}",
                        format_func=labels.__getitem__,
                    )
                    if given is not None:
                        scores.setdefault(slot, {})[scale_id] = given
        sent = st.form_submit_button(t("begin.check"), type="primary")
    if not sent:
        return None
    if any(scale not in scores.get(slot, {}) for slot in item.key for scale in item.key[slot]):
        st.warning(t("begin.practice_missing"))
        return None
    return scores


def feedback(item: Practice, result: PracticeResult, study: MyStudy) -> None:
    """Say what the key gives and why, beside each answer."""
    st.header(t("begin.feedback", right=result.right, asked=result.asked))
    if item.author:
        st.caption(t("begin.key_by", author=literal(item.author)))
    plain(item.question, look="strong", key="feedback-question")
    plain(item.description)
    for column, (slot, answer) in zip(
        st.columns(len(item.answers)), item.answers.items(), strict=True
    ):
        with column, st.container(border=True, key=f"feedback-slot-{slot}"):
            plain(f"{t('begin.answer')} {slot}", look="strong", key=f"feedback-{slot}")
            plain(answer)
            show_marks(slot, result, study)
    if st.button(t("begin.next"), type="primary"):
        del st.session_state["practice_result"]
        st.rerun()


def show_marks(slot: str, result: PracticeResult, study: MyStudy) -> None:
    """Show key, own score and reason for every scale of one answer."""
    words = study.setup.protocol.language
    for at, scale_id, given, expected, reason in result.marks:
        if at != slot:
            continue
        scale = study.setup.instrument.scale(scale_id)
        verdict = t("begin.same") if given == expected else t("begin.differs", given=given)
        plain(f"{scale.name(words)} · {t('begin.key')} {expected} · {verdict}",
              look="strong", key=f"mark-{slot}-{scale_id}")
        plain(reason, look="small", key=f"reason-{slot}-{scale_id}")


person = require_person()
mine = admission.my_studies(database(), person, now=now())
picked = next((one for one in mine if one.slug == st.session_state.get("study")), None)
study = picked if picked is not None else chosen_study(mine, steps=STEPS)
if study is None or (study.step not in STEPS and "practice_result" not in st.session_state):
    is_annotator = study is not None and study.role is Role.ANNOTATOR
    st.switch_page("pages/annotate.py" if is_annotator else "pages/rate.py")
st.session_state["study"] = study.slug
if study.step != "practice" and "practice_result" not in st.session_state:
    chrome.reading_width()
st.title(t("begin.title"))
chrome.start_at_top(f"{study.step}-{'practice_result' in st.session_state}-{study.slug}")
plain(study.title, look="small", key="study-title")
try:
    if "practice_result" in st.session_state:
        practice(person, study)
    elif study.step == "held":
        st.info(t("begin.held"))
    else:
        {"consent": consent, "profile": profile, "guide": guide, "practice": practice}[
            study.step
        ](person, study)
except StudyError as error:
    refuse(error)
