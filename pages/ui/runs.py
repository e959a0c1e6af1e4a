"""Runs on a lead's screen: those at work, live; those that are over, to read and to use."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.services import running
from cbt_core.services.running_state import Watched
from cbt_core.wording import say
from pages.ui import lead, session
from pages.ui.run_rows import show_rows
from pages.ui.session import database, now, signed_in
from pages.ui.widgets import literal, plain
from pages.ui.wording import language, t

EVERY: Final = timedelta(seconds=5)
"""A tick costs the server some 40 CPU-ms, nearly all of it Streamlit's own: under 1 % of a core."""

LIVE_FOR: Final = timedelta(minutes=20)
"""Afterwards the page rests: watching by itself must not keep a sign-in alive for ever."""

SINCE: Final = "runs_since"
CHOSEN: Final = "runs_chosen"
MOST: Final = 2


def show_runs(person: Person) -> None:
    """Draw the runs of a person."""
    found = running.watch(database(), person, now=now())
    if not found:
        st.info(t("generate.no_runs"))
        return
    active = [one.run.code for one in found if one.active]
    if active:
        st.session_state.setdefault(SINCE, now())
        st.fragment(_live, run_every=EVERY)(active)
    else:
        st.session_state.pop(SINCE, None)
    chosen = _choose(found)
    for one in chosen:
        if not one.active:
            _one(person, one)
    if any(one.active for one in chosen) and st.button(t("generate.read_so_far")):
        st.rerun()
    readable = [one for one in chosen if one.run.folder and (one.run.done or one.run.failed)]
    if readable:
        show_rows(person, readable)


def _live(active: Sequence[str]) -> None:
    """Draw what is at work; this runs again by itself, so it asks again who looks."""
    if now() - st.session_state.get(SINCE, now()) > LIVE_FOR:
        st.info(t("generate.resting"))
        if st.button(t("generate.wake")):
            st.session_state[SINCE] = now()
            st.rerun()
        return
    person = signed_in()
    if person is None:
        st.info(t("generate.signed_out"))
        return
    found = running.watch(database(), person, now=now())
    at_work = [one for one in found if one.active]
    if [one.run.code for one in at_work] != list(active):
        st.rerun()
    for one in at_work:
        _working(person, one)


def _working(person: Person, one: Watched) -> None:
    """Draw one run at work, with the way to stop it: few elements, for it is drawn often."""
    run = one.run
    told = f"{run.config['asked']['system']} · {_state(one)} · {_numbers(one)}"
    with st.container(horizontal=True, vertical_alignment="center", key=f"working-{run.code}"):
        st.progress(min(1.0, run.done / max(1, run.total)), text=literal(told))
        if st.button(t("generate.stop"), key=f"stop-{run.code}", disabled=one.state == "stopping"):
            lead.act(
                lambda: running.stop(database(), person, code=run.code, now=now()),
                t("generate.stop_asked"),
            )


def _choose(found: Sequence[Watched]) -> list[Watched]:
    """Let the person choose one run, or two to read side by side."""
    by_code = {one.run.code: one for one in found}
    standing = st.session_state.get(CHOSEN, [found[0].run.code])
    st.session_state[CHOSEN] = [code for code in standing if code in by_code]
    codes = st.multiselect(
        t("generate.choose"), list(by_code), key=CHOSEN, max_selections=MOST,
        format_func={code: _label(one) for code, one in by_code.items()}.__getitem__,
        placeholder=t("generate.choose_none"),
    )
    return [by_code[code] for code in codes]


def _label(one: Watched) -> str:
    run = one.run
    parts = [run.config["asked"]["system"], lead.minute(run.created_at)]
    if not one.active:  # while it works the label stays as it is
        parts.append(f"{run.done}/{run.total} · {_state(one)}")
    return " · ".join(parts)


def _state(one: Watched) -> str:
    return say(f"running.state_{one.state}", language())


def _one(person: Person, one: Watched) -> None:
    """Draw one run: what it was asked, what came of it, what can be done."""
    run, asked = one.run, one.run.config["asked"]
    with st.container(border=True, key=f"card-run-{run.code}"):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            plain(f"{asked['system']} · {_state(one)} · {_numbers(one)}", look="strong",
                  key=f"one-{run.code}")  # fmt: skip
            plain(_asked(one), look="small", key=f"asked-{run.code}")
            if note := one.told(language()):
                plain(note, look="small", key=f"note-{run.code}")
            if not run.folder:
                plain(t("generate.texts_gone"), look="small", key=f"gone-{run.code}")
        with right, st.container(horizontal=True):
            _acts(person, one)


def _acts(person: Person, one: Watched) -> None:
    """Offer to go on, and to delete the texts."""
    code = one.run.code
    if one.resumable and st.button(t("generate.resume"), key=f"resume-{code}"):
        lead.act(
            lambda: running.resume(
                database(), person, code=code, settings=session.settings(), now=now()
            ),
            t("generate.resumed"),
        )
    if one.run.folder:
        with st.popover(t("generate.forget")):
            st.text(t("generate.forget_about"))
            if st.button(t("generate.forget_now"), key=f"forget-{code}"):
                lead.act(
                    lambda: running.forget(database(), person, code=code, now=now()),
                    t("generate.forgotten"),
                )


def _asked(one: Watched) -> str:
    """Return in a line what was asked of which model."""
    asked = one.run.config["asked"]
    backend = t(f"generate.backend_{asked['backend']}")
    parts = [backend, asked["model"], asked["adapter"], asked["base_url"],
             t(f"generate.prompt_{asked['prompt'].replace('-', '_')}"), one.run.code]
    return " · ".join(part for part in parts if part)


def _numbers(one: Watched) -> str:
    """Return how far a run is; rate and time left only while it works."""
    run = one.run
    parts = [t("generate.done_of", done=run.done, total=run.total),
             t("generate.failed_count", count=run.failed)]
    if one.rate:
        parts.append(t("generate.rate", rate=f"{one.rate:.1f}"))
    if run.cost is not None:
        parts.append(t("generate.cost_so_far", cost=f"{run.cost:,.2f}"))
    if one.seconds_left is not None:
        parts.append(t("generate.left", time=_time(one.seconds_left)))
    return " · ".join(parts)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
