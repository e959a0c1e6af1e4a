"""Rows of one run, or of two side by side; what a study of them would hold; and the study."""

import re
from collections.abc import Sequence
from typing import Final

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.generation.gates.findings import Report
from cbt_core.generation.prompts import load_prompt
from cbt_core.instruments import load_scheme
from cbt_core.services import gating, running_rows, running_studies
from cbt_core.services.importing import Preview
from cbt_core.services.running_rows import Cell, Line
from cbt_core.services.running_state import Watched
from cbt_core.wording import say
from pages.ui import lead
from pages.ui.session import database, now
from pages.ui.widgets import plain
from pages.ui.wording import language, t

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
    found = running_rows.page(
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
            kept = (codes, running_studies.check(database(), person, codes=codes, now=now()))
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
        for place, line in enumerate(gating.summary_lines(seen.gates, language())):
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
    made = running_studies.send(
        database(), person, codes=codes, slug=re.sub(r"\s+", "", slug), title=title, now=now()
    )
    st.session_state.pop(CHECKED, None)
    st.session_state[lead.STUDY] = made.slug
    lead.tell(t("import_study.made" if made.new else "import_study.there", items=made.counts.items))
    st.switch_page("pages/studies.py")
