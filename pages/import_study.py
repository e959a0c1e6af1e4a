"""Import: upload, look at what is there and what is wrong, then all of it or nothing."""

import re

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.study import ImportedItem, Problem
from cbt_core.errors import StudyError
from cbt_core.files.problems import ImportProblems, describe
from cbt_core.generation.gates.recognition import Report
from cbt_core.services.studies import answer_gates, creation
from cbt_core.services.studies.creation import Preview
from cbt_core.words import say
from pages.ui import lead
from pages.ui.session import database, now, require_lead
from pages.ui.uploads import KINDS, TEMPLATES, Uploads, laid_out, protocol_of, template
from pages.ui.widgets import plain
from pages.ui.words import language, t

LOOKED_AT = "import_preview"
ENCODINGS = ("", "utf-8", "gb18030", "big5", "utf-16")
ANSWER_START = 220
ROWS_SHOWN = 3
GATES_SHOWN = 200


def ask_files() -> Uploads:
    """Ask for the files in one of the two forms they come in."""
    forms = ("wide", "parts")
    form = st.radio(
        t("import_study.form"), forms, horizontal=True, key="import-form",
        format_func={one: t(f"import_study.form_{one}") for one in forms}.__getitem__,
        label_visibility="collapsed",
    )
    left, right = st.columns(2, gap="large")
    with left:
        study = questions = None
        answers = []
        if form == "wide":
            study = st.file_uploader(t("import_study.study_file"), type=list(KINDS), key="up-study")
        else:
            questions = st.file_uploader(
                t("import_study.questions"), type=list(KINDS), key="up-questions"
            )
            answers = st.file_uploader(
                t("import_study.answers_files"), type=list(KINDS), key="up-answers",
                accept_multiple_files=True,
            )
    with right:
        protocol = st.file_uploader(t("import_study.protocol"), type=["toml"], key="up-protocol")
        with st.expander(t("import_study.more")):
            encoding = st.selectbox(
                t("import_study.encoding"), ENCODINGS, key="import-encoding",
                format_func={one: one or t("import_study.encoding_auto")
                             for one in ENCODINGS}.__getitem__,
            )
            sheet = st.text_input(t("import_study.sheet"), max_chars=60, key="import-sheet")
        templates()
    return Uploads(study, questions, answers, protocol, encoding or "", sheet.strip())


def templates() -> None:
    """Offer empty files of the right form."""
    st.caption(t("import_study.templates"))
    with st.container(horizontal=True):
        for name in TEMPLATES:
            st.download_button(
                name, template(name), file_name=name, on_click="ignore", key=f"template-{name}"
            )


def look(uploads: Uploads) -> Preview | None:
    """Return what the files hold, looked at once per set of files; None until asked for."""
    mark, stored = st.session_state.get(LOOKED_AT, ((), None))
    if stored is not None and mark == uploads.mark:
        return stored if isinstance(stored, Preview) else None
    if not st.button(t("import_study.check"), type="primary", disabled=not uploads.ready):
        return None
    try:
        with st.spinner(t("import_study.checking")), laid_out(uploads) as files:
            seen = creation.preview(files, protocol=protocol_of(uploads))
    except StudyError as error:
        lead.sorry(error)
        return None
    st.session_state[LOOKED_AT] = (uploads.mark, seen)
    return seen


def show(seen: Preview) -> None:
    """Show counts, systems, doubts and the first items."""
    cells = {"items": f"{seen.items:,}", "answers": f"{seen.answers:,}",
             "references": f"{seen.references:,}", "systems": str(len(seen.systems)),
             "risk": f"{sum((seen.risks or {}).get(one, 0) for one in ('possible', 'high')):,}"}
    for column, (key, value) in zip(st.columns(len(cells)), cells.items(), strict=True):
        column.metric(t(f"import_study.{key}"), value)
    if seen.systems:
        plain(f"{t('import_study.systems')}: {' · '.join(seen.systems)}", key="systems")
        st.caption(t("import_study.masked"))
    else:
        st.info(t("import_study.label_study"))
    if seen.gates is not None:
        gates(seen.gates)
    if seen.warnings:
        st.subheader(t("import_study.warnings", count=len(seen.warnings)))
        st.caption(t("import_study.warnings_about"))
        problem_table(seen.warnings)
    st.subheader(t("import_study.first_rows"))
    for place, item in enumerate(seen.rows[:ROWS_SHOWN]):
        first_row(place, item)


def gates(report: Report) -> None:
    """Show what the answers betray or risk; the lead decides, nothing is refused."""
    st.subheader(t("import_study.gates"))
    st.caption(t("import_study.gates_about"))
    for place, line in enumerate(answer_gates.summary_lines(report, language())):
        plain(line, look="small", key=f"gate-{place}")
    if report.findings:
        with st.expander(t("import_study.gates_each", count=len(report.findings))):
            gate_table(report)


def gate_table(report: Report) -> None:
    """List the answers that gates stopped at, so that somebody can read them first."""
    rows = [
        {"item": one.item, "system": one.system, "gate": say(f"gates.{one.gate}", language()),
         "value": one.value}
        for one in report.findings[:GATES_SHOWN]
    ]
    lead.rows_table(
        rows,
        columns={
            "item": st.column_config.TextColumn(t("import_study.gate_item"), width=130),
            "system": st.column_config.TextColumn(t("import_study.gate_system"), width=130),
            "gate": st.column_config.TextColumn(t("import_study.gate"), width="medium"),
            "value": st.column_config.TextColumn(t("import_study.gate_value"), width="medium"),
        },
        alt=t("import_study.gates_alt"),
    )


def first_row(place: int, item: ImportedItem) -> None:
    """Draw one item as it will be read, answers cut short."""
    with st.container(border=True, key=f"first-{place}"):
        plain(f"{item.key} · {item.question}", look="strong", key=f"first-{place}")
        if item.description:
            plain(item.description[:ANSWER_START], look="small", key=f"first-{place}")
        for column, (system, answer) in zip(
            st.columns(max(1, len(item.answers))), item.answers.items(), strict=False
        ):
            with column:
                plain(system, look="small", key=f"first-{place}-{list(item.answers).index(system)}")
                cut = "…" if len(answer.text) > ANSWER_START else ""
                st.text(answer.text[:ANSWER_START] + cut)


def problem_table(problems: tuple[Problem, ...]) -> None:
    """List problems: where, in which field, what is wrong and what to do."""
    rows = []
    for fault in problems:
        place = f"{fault.file}:{fault.row}: {fault.field}: "
        sentence = describe(fault, language()).removeprefix(place)
        rows.append({"file": fault.file, "row": fault.row, "field": fault.field, "what": sentence})
    lead.rows_table(
        rows,
        columns={
            "file": st.column_config.TextColumn(t("import_study.file"), width=150),
            "row": st.column_config.NumberColumn(t("import_study.row"), width=60, format="%d"),
            "field": st.column_config.TextColumn(t("import_study.field"), width=110),
            "what": st.column_config.TextColumn(t("import_study.what"), width="large"),
        },
        alt=t("import_study.problems_alt"),
    )


def refused(problems: tuple[Problem, ...], count: int) -> None:
    """Say that nothing can be taken, and why."""
    st.error(t("import_study.refused", count=count))
    problem_table(problems)
    if count > len(problems):
        st.caption(t("import_study.more_problems", count=count - len(problems)))


def create(person: Person, uploads: Uploads) -> None:
    """Ask for title and short name, then import."""
    st.subheader(t("import_study.create"))
    with st.form("create", enter_to_submit=False, border=False):
        left, right = st.columns([3, 2])
        title = left.text_input(t("import_study.title_field"), max_chars=200, key="import-title")
        slug = right.text_input(
            t("import_study.slug"), max_chars=60, key="import-slug", placeholder="sleep-2026",
            help=t("import_study.slug_help"),
        )
        sent = st.form_submit_button(t("import_study.create_now"), type="primary")
    if sent:
        bring_in(person, uploads, title=title, slug=re.sub(r"\s+", "", slug))


def bring_in(person: Person, uploads: Uploads, *, title: str, slug: str) -> None:
    """Import everything, or show why not."""
    bar = st.progress(0.0, t("import_study.importing"))

    def step(done: int, of: int) -> None:
        bar.progress(done / max(1, of), t("import_study.importing"))

    try:
        with laid_out(uploads) as files:
            made = creation.create_study(
                database(), person, slug=slug, title=title, files=files, now=now(),
                protocol=protocol_of(uploads), step=step,
            )
    except ImportProblems as found:
        bar.empty()
        refused(found.problems, found.count)
        return
    except StudyError as error:
        bar.empty()
        lead.sorry(error)
        return
    st.session_state.pop(LOOKED_AT, None)
    st.session_state[lead.STUDY] = made.slug
    lead.tell(t("import_study.made" if made.new else "import_study.there", items=made.counts.items))
    st.switch_page("pages/studies.py")


person = require_lead()
lead.dress()
st.title(t("import_study.title"))
if not person.may_create_studies:
    st.info(t("import_study.not_allowed"))
    st.stop()
st.text(t("import_study.about"))
uploads = ask_files()
seen = look(uploads)
if seen is not None and seen.problems:
    refused(seen.problems, seen.problem_count)
elif seen is not None:
    show(seen)
    create(person, uploads)
