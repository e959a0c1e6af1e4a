"""Runs on a lead's screen: those at work, live; those that are over, to read and to use.

Rows of one run, or of two side by side; what a study of them would hold; and the study.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.generation.gates.findings import Report
from cbt_core.generation.tasks.prompts import load_prompt
from cbt_core.instruments import load_scheme
from cbt_core.services.runs import browser_run, outputs
from cbt_core.services.runs.browser_run import Watched
from cbt_core.services.runs.outputs import Cell, Line
from cbt_core.services.studies import answer_gates
from cbt_core.services.studies.creation import Preview
from cbt_core.words import say
from pages.ui import lead, session
from pages.ui.session import database, now, signed_in
from pages.ui.widgets import literal, plain
from pages.ui.words import language, t

AT_ONCE: Final = 5
GATES_SHOWN: Final = 200
CHECKED: Final = "runs_checked"


def show_rows(person: Person, chosen: Sequence[Watched]) -> None:
    """Draw questions with the answers of one run or two, and the way to a study."""
    codes = [one.run.code for one in chosen]
    st.subheader(t("generate.rows"))
    st.caption(t("common.not_clinical"))
    try:
        _page(person, chosen, codes)
        if all(one.state == "finished" for one in chosen):
            _study(person, codes)
    except StudyError as error:
        lead.sorry(error)


def _page(person: Person, chosen: Sequence[Watched], codes: Sequence[str]) -> None:
    """Draw one page of rows."""
    total = chosen[0].run.total
    pages = max(1, -(-total // AT_ONCE))
    number = 1
    if pages > 1:
        left, _ = st.columns([1, 5])
        number = int(left.number_input(
            t("generate.page", pages=pages), 1, pages, 1, key=f"gen-page-{'-'.join(codes)}"
        ))
    found = outputs.page(
        database(), person, codes=codes, offset=(number - 1) * AT_ONCE, limit=AT_ONCE, now=now()
    )
    names = [_labels(one) for one in chosen]
    for place, line in enumerate(found.lines):
        _line(place, line, found.systems, names)


def _line(
    place: int, line: Line, systems: Sequence[str], names: Sequence[dict[str, str]]
) -> None:
    """Draw a question beside its answers."""
    with st.container(border=True, key=f"card-row-{place}"):
        columns = st.columns([2, *(3 for _ in systems)], gap="medium")
        with columns[0]:
            plain(f"{line.key} · {line.question}", look="strong", key=f"row-{place}")
            if line.description:
                plain(line.description, look="small", key=f"row-{place}")
        for slot, (column, cell) in enumerate(zip(columns[1:], line.cells, strict=True)):
            with column:
                plain(f"{systems[slot]} · {_about(cell, names[slot])}", look="small",
                      key=f"cell-{place}-{slot}")  # fmt: skip
                if cell.answer:
                    st.text(cell.answer)


def _about(cell: Cell, names: dict[str, str]) -> str:
    """Return what came with an answer, or why there is none."""
    if cell.cause:
        return t("generate.no_answer", cause=t(f"generate.cause_{cell.cause}"))
    if not cell.answer:
        return t("generate.not_yet")
    finish = t(f"generate.finish_{cell.finish or 'unknown'}")
    if not names:
        return finish
    labels = t("generate.between").join(names.get(one, one) for one in cell.distortions)
    return f"{labels or t('generate.no_labels')} · {finish}"


def _labels(one: Watched) -> dict[str, str]:
    """Return the names of the labels a run may give; none when its prompt asks for none."""
    asked = one.run.config["asked"]
    if load_prompt(asked["prompt"], asked["prompt_language"]).reply != "json":
        return {}
    scheme = load_scheme(asked["scheme"])
    return {label.id: label.name(language()) for label in scheme.labels}


def _study(person: Person, codes: Sequence[str]) -> None:
    """Offer to see what a study would hold, then to make it."""
    st.subheader(t("generate.to_study"))
    st.caption(t("generate.to_study_about"))
    kept = st.session_state.get(CHECKED)
    if kept is None or kept[0] != codes:
        if not st.button(t("generate.check"), key="gen-check"):
            return
        with st.spinner(t("generate.checking")):
            kept = (codes, outputs.check(database(), person, codes=codes, now=now()))
        st.session_state[CHECKED] = kept
    seen, left_out = kept[1]
    _seen(seen, left_out)
    if not seen.problems:
        _send(person, codes)


def _seen(seen: Preview, left_out: int) -> None:
    """Show counts, what the gates say, and what stands in the way."""
    if seen.problems:
        st.error(t("generate.study_refused", count=seen.problem_count))
        for place, problem in enumerate(seen.problems[:10]):
            plain(say(problem.code, language(), **problem.values), look="small", key=f"no-{place}")
        return
    plain(t("generate.would_hold", items=seen.items, answers=seen.answers,
            risk=sum((seen.risks or {}).get(one, 0) for one in ("possible", "high"))),
          key="hold")  # fmt: skip
    if left_out:
        plain(t("generate.left_out", count=left_out), key="left-out")
    if seen.gates is not None:
        for place, line in enumerate(answer_gates.summary_lines(seen.gates, language())):
            plain(line, look="small", key=f"gate-{place}")
        if seen.gates.findings:
            with st.expander(t("import_study.gates_each", count=len(seen.gates.findings))):
                _findings(seen.gates)


def _findings(report: Report) -> None:
    """List what the gates stopped at, so that somebody can read it first."""
    keys = ("item", "system", "gate", "value")
    rows = [
        {"item": one.item, "system": one.system, "gate": say(f"gates.{one.gate}", language()),
         "value": one.value}
        for one in report.findings[:GATES_SHOWN]
    ]
    titles = {key: "gate" if key == "gate" else f"gate_{key}" for key in keys}
    lead.rows_table(
        rows, columns={key: t(f"import_study.{title}") for key, title in titles.items()},
        alt=t("import_study.gates_alt"),
    )


def _send(person: Person, codes: Sequence[str]) -> None:
    """Ask for title and short name, then make the study."""
    with st.form("send", enter_to_submit=False, border=False):
        left, right = st.columns([3, 2])
        title = left.text_input(t("import_study.title_field"), max_chars=200, key="send-title")
        slug = right.text_input(
            t("import_study.slug"), max_chars=60, key="send-slug", placeholder="sleep-2026",
            help=t("import_study.slug_help"),
        )
        sent = st.form_submit_button(t("generate.send"), type="primary")
    if not sent:
        return
    made = outputs.send(
        database(), person, codes=codes, slug=re.sub(r"\s+", "", slug), title=title, now=now()
    )
    st.session_state.pop(CHECKED, None)
    st.session_state[lead.STUDY] = made.slug
    lead.tell(t("import_study.made" if made.new else "import_study.there", items=made.counts.items))
    st.switch_page("pages/studies.py")


EVERY: Final = timedelta(seconds=5)
"""A tick costs the server some 40 CPU-ms, nearly all of it Streamlit's own: under 1 % of a core."""

LIVE_FOR: Final = timedelta(minutes=20)
"""Afterwards the page rests: watching by itself must not keep a sign-in alive for ever."""

SINCE: Final = "runs_since"
CHOSEN: Final = "runs_chosen"
MOST: Final = 2


def show_runs(person: Person) -> None:
    """Draw the runs of a person."""
    found = browser_run.watch(database(), person, now=now())
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
    found = browser_run.watch(database(), person, now=now())
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
                lambda: browser_run.stop(database(), person, code=run.code, now=now()),
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
    return say(f"runs.state_{one.state}", language())


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
            lambda: browser_run.resume(
                database(), person, code=code, settings=session.settings(), now=now()
            ),
            t("generate.resumed"),
        )
    if one.run.folder:
        with st.popover(t("generate.forget")):
            st.text(t("generate.forget_about"))
            if st.button(t("generate.forget_now"), key=f"forget-{code}"):
                lead.act(
                    lambda: browser_run.forget(database(), person, code=code, now=now()),
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
