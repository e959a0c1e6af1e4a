"""The end: confirm the scores as final, the closing question, thanks with hours worked."""

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import StudyError
from cbt_core.instruments.shipped import defaults
from cbt_core.services.desk import own_work
from cbt_core.services.desk.admission import MyStudy, my_studies
from cbt_core.services.desk.own_work import DONT_KNOW, ShownAgain
from pages.ui.session import database, now, require_role
from pages.ui.widgets import chosen_study, hours_words, plain, refuse
from pages.ui.words import language, t


def confirm(person: Person, study: MyStudy) -> None:
    """Ask whether the scores are final; only then comes the closing question."""
    st.header(t("closing.confirm"))
    st.text(t("closing.confirm_about"))
    sure = st.checkbox(t("closing.sure"), key="sure")
    if st.button(t("closing.make_final"), type="primary", disabled=not sure):
        own_work.confirm_final(database(), person, slug=study.slug, now=now())
        st.rerun()
    st.page_link("pages/my_work.py", label=t("closing.look_again"))


def ask(person: Person, study: MyStudy, shown: list[ShownAgain]) -> None:
    """Ask which answer came from the system under study, task by task."""
    st.header(t("closing.guess", count=len(shown)))
    st.text(t("closing.guess_about"))
    with st.form("guess", enter_to_submit=False, border=False):
        given = {one.task: ask_one(number, one) for number, one in enumerate(shown, start=1)}
        sent = st.form_submit_button(t("closing.send"), type="primary")
    if not sent:
        return
    if any(choice is None for choice, _ in given.values()):
        st.warning(t("closing.missing"))
        return
    answers = {task: (choice or DONT_KNOW, reason) for task, (choice, reason) in given.items()}
    own_work.guess(database(), person, slug=study.slug, answers=answers, now=now())
    st.rerun()


def ask_one(number: int, shown: ShownAgain) -> tuple[str | None, str]:
    """Draw one task again, in the slots in which it stood."""
    with st.container(border=True, key=f"again-{number}"):
        plain(shown.question, look="strong", key=f"again-{number}")
        for column, (slot, text) in zip(
            st.columns(len(shown.slots)), shown.slots, strict=True
        ):
            with column:
                plain(f"{t('begin.answer')} {slot}", look="strong", key=f"again-{number}-{slot}")
                plain(text)
        choice = st.radio(
            t("closing.question"), [*(slot for slot, _ in shown.slots), DONT_KNOW], index=None,
            horizontal=True, key=f"guess-{number}",
            format_func=lambda one: t("closing.dont_know") if one == DONT_KNOW else one,
        )
        reason = st.text_input(t("closing.why"), max_chars=1000, key=f"guess-why-{number}")
    return choice, reason


def thanks(person: Person, study: MyStudy) -> None:
    """Thank the person; say the hours worked; show the support text again."""
    st.header(t("closing.thanks"))
    hours = own_work.hours(database(), person, slug=study.slug, now=now())
    st.text(t("closing.thanks_about", done=study.done, spent=hours_words(round(hours * 60))))
    support = study.setup.protocol.support_text or defaults().support_text
    plain(support(language()), look="quote", key="support")
    st.page_link("pages/my_work.py", label=t("nav.my_work"))


person = require_role(Role.RATER)
mine = [one for one in my_studies(database(), person, now=now()) if one.role is Role.RATER]
study = chosen_study(mine, steps=("guess", "done", "closed"))
st.title(t("closing.title"))
if study is None:
    st.info(t("closing.not_yet"))
    st.stop()
plain(study.title, look="small", key="study-title")
try:
    again = own_work.shown_again(database(), person, slug=study.slug, now=now())
    if study.step == "guess":
        confirm(person, study)
    elif again and study.step != "closed":
        ask(person, study, again)
    else:
        thanks(person, study)
except StudyError as error:
    refuse(error)
