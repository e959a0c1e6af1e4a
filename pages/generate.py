"""Generate: let a model answer a small set of questions, watch it, read it, make a study of it."""

from uuid import uuid4

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.files.problems import ImportProblems, describe
from cbt_core.generation.tasks.questions import Questions
from cbt_core.services.runs import browser_run
from cbt_core.services.runs.wishes import Asked, Preview, SourceState
from pages.ui import lead
from pages.ui.run_desk import Given, ask_questions, ask_system, laid_out, show_runs
from pages.ui.session import database, now, require_lead, settings
from pages.ui.widgets import plain
from pages.ui.words import language, t

VIEWS = ("new", "runs")
VIEW, NEXT = "generate_view", "generate_next"
TOKEN, SEEN = "generate_token", "generate_seen"


def view() -> str:
    """Return which half of the screen is shown; a start leads to the runs."""
    if NEXT in st.session_state:
        st.session_state[VIEW] = st.session_state.pop(NEXT)
    return str(st.segmented_control(
        t("generate.view"), VIEWS, key=VIEW, required=True, label_visibility="collapsed",
        default=None if VIEW in st.session_state else VIEWS[0],
        format_func={one: t(f"generate.view_{one}") for one in VIEWS}.__getitem__,
    ))


def new_run(person: Person) -> None:
    """Ask what is to be generated, show what it takes, start it."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        given = ask_questions(person)
    with right:
        asked = ask_system()
    if asked is None:
        return
    with left:
        seen = look(person, asked, given)
        if seen is None:
            return
        show(seen)
        if seen.reason is None and not seen.too_many:
            offer(person, asked, given)


def look(person: Person, asked: Asked, given: Given) -> Preview | None:
    """Return what a run would take, looked at once per set of choices; None until asked for."""
    mark = (given.mark, asked)
    pressed = st.button(t("generate.look"), disabled=not (given.ready and asked.system))
    kept = st.session_state.get(SEEN)
    if not pressed:
        return kept[1] if kept is not None and kept[0] == mark else None
    try:
        with st.spinner(t("generate.looking")), laid_out(given, person) as questions:
            seen = browser_run.preview(
                database(), person, asked=asked, questions=questions, settings=settings(),
                now=now(),
            )
    except StudyError as error:
        st.session_state.pop(SEEN, None)
        explain(error)
        return None
    st.session_state[SEEN] = (mark, seen)
    return seen


def offer(person: Person, asked: Asked, given: Given) -> None:
    """Draw the button that starts."""
    token = st.session_state.setdefault(TOKEN, uuid4().hex)
    if not st.button(t("generate.start"), type="primary"):
        return
    try:
        with laid_out(given, person) as questions:
            begin(person, asked, questions, token)
    except StudyError as error:
        explain(error)
        return
    for key in (TOKEN, SEEN):
        st.session_state.pop(key, None)
    st.session_state[NEXT] = "runs"
    lead.tell(t("generate.started"))
    st.rerun()


def begin(person: Person, asked: Asked, questions: Questions, token: str) -> None:
    """Start; the token makes two presses one run."""
    browser_run.start(
        database(), person, asked=asked, questions=questions, token=token, settings=settings(),
        now=now(),
    )


def show(seen: Preview) -> None:
    """Show what a run would take, where texts would go, and what stands in the way."""
    st.subheader(t("generate.takes"))
    cells = {
        "count": f"{seen.total:,}",
        "host": seen.host or t("generate.nowhere"),
        "tokens": token_words(seen),
        "cost": cost_words(seen),
    }
    rows = [(t(f"generate.{key}"), value) for key, value in cells.items()]
    lead.facts(rows, key="takes")
    st.caption(t("generate.takes_about"))
    leaves = seen.backend == "openai"
    for place, origin in enumerate(seen.sources):
        plain(source_words(origin, leaves=leaves), look="small", key=f"source-{place}")
    for place, doubt in enumerate(seen.warnings):
        plain(describe(doubt, language()), look="small", key=f"doubt-{place}")
    if seen.reason is not None:
        lead.sorry(seen.reason)
    if seen.too_many:
        st.warning(t("generate.too_many", most=f"{settings().browser_questions:,}"))
        st.code(seen.command, language=None, wrap_lines=True)


def token_words(seen: Preview) -> str:
    """Return the tokens in and out, as guessed; a dash where nothing was reckoned."""
    return f"≈ {seen.prompt_tokens:,} + {seen.reply_tokens:,}" if seen.prompt_tokens else "—"


def cost_words(seen: Preview) -> str:
    """Return the estimated cost, or that it is not known; a model here costs nothing."""
    if seen.backend != "openai":
        return t("generate.cost_none")
    return t("generate.cost_unknown") if seen.cost is None else f"≈ {seen.cost:,.2f}"


def source_words(origin: SourceState, *, leaves: bool) -> str:
    """Return a source, how many of its texts, and whether they may go."""
    name = origin.source or t("generate.source_unnamed")
    state = "stays" if not leaves else ("refused" if origin.refusal else "goes")
    return t(f"generate.source_{state}", source=name, texts=origin.texts)


def explain(error: StudyError) -> None:
    """Say why there will be no run; of a file's problems the first ones."""
    if not isinstance(error, ImportProblems):
        lead.sorry(error)
        return
    st.error(t("generate.unreadable", count=error.count))
    for place, problem in enumerate(error.problems[:10]):
        plain(describe(problem, language()), look="small", key=f"problem-{place}")


person = require_lead()
lead.dress()
st.title(t("generate.title"))
if not person.may_create_studies or person.demonstration:
    st.info(t("generate.not_allowed"))
    st.stop()
lead.show_notice()
chosen = view()
if chosen == "new":
    st.caption(t("generate.about"))
    new_run(person)
else:
    show_runs(person)
