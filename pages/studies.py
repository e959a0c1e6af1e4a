"""Studies: where each stands, and the acts that change one: lock, unblind, withdraw, amend."""

import tempfile
from pathlib import Path

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role, Stage
from cbt_core.domain.submission import Work
from cbt_core.errors import StudyError
from cbt_core.files.protocol import parse_protocol
from cbt_core.services.studies import contents, lifecycle, protocols
from cbt_core.services.studies.contents import ItemWithAnswers, StudyLine
from cbt_core.services.studies.lifecycle import Status
from pages.ui import lead
from pages.ui.session import database, now, require_lead
from pages.ui.study_stages import is_label_study, next_step, show_stages
from pages.ui.widgets import plain
from pages.ui.words import t

FOUND = 12


def numbers(line: StudyLine, status: Status) -> None:
    """Show what the study holds and how much of it is done."""
    works = [row.work for row in status.raters]
    cells = {"items": f"{line.counts.items - line.counts.withdrawn:,}"}
    if not is_label_study(line):
        cells |= {"systems": str(line.systems), "raters": str(works.count(Work.RATE))}
    if is_label_study(line) or Work.LABEL in works:
        cells["annotators"] = str(works.count(Work.LABEL))
    cells |= {
        "done": f"{status.done:,} / {status.total:,}",
        "hours": f"{status.hours:.1f}",
    }
    for column, (key, value) in zip(st.columns(len(cells)), cells.items(), strict=True):
        column.metric(t(f"studies.{key}"), value)
    st.progress(min(1.0, status.done / status.total) if status.total else 0.0)


def what_next(line: StudyLine, status: Status) -> None:
    """Say what comes next, with the screens where it is done."""
    step = next_step(line, status)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(t(step.words), width="content")
        for screen in step.screens:
            lead.way_to(screen)


def items(person: Person, line: StudyLine) -> None:
    """Find items and withdraw one; what was rated stays, marked and dated."""
    st.text(t("studies.withdraw_about"))
    sought = st.text_input(t("studies.search"), key="item-search", max_chars=200)
    matches = contents.items_page(
        database(), person, slug=line.study.slug, now=now(), limit=FOUND, search=sought
    )
    if not matches:
        st.info(t("studies.search_nothing"))
    for entry in matches:
        item_row(entry, changeable=line.study.stage in {Stage.DRAFT, Stage.OPEN})
    chosen = next((one for one in matches if one.item.id == st.session_state.get("withdraw")), None)
    if chosen is not None:
        withdraw(person, line.study.slug, chosen.item.key)


def item_row(entry: ItemWithAnswers, *, changeable: bool) -> None:
    """Draw one item: id, question, risk, and what can be done."""
    item = entry.item
    key, question, risk, action = st.columns([1.2, 6, 1.2, 1.6], vertical_alignment="center")
    key.text(item.key)
    question.text(item.question[:90])
    risk.caption(t(f"studies.risk_{item.risk}"))
    if item.withdrawn_at:
        action.caption(t("studies.withdrawn_on", day=item.withdrawn_at[:10]))
    elif changeable and action.button(
        t("studies.withdraw"), key=f"withdraw-{item.id}", width="stretch"
    ):
        st.session_state["withdraw"] = item.id
        st.rerun()


def withdraw(person: Person, slug: str, key: str) -> None:
    """Ask for the reason, then withdraw."""
    with st.form("withdraw", enter_to_submit=False):
        plain(t("studies.withdraw_which", item=key), look="strong", key="withdraw")
        reason = st.text_area(t("lead.reason"), key="withdraw-reason", max_chars=2000, height=80)
        sent = st.form_submit_button(t("studies.withdraw_now"), type="primary")
    if sent:
        lead.act(
            lambda: lifecycle.withdraw_item(
                database(), person, slug=slug, key=key, reason=reason, now=now()
            ),
            t("studies.withdrawn", item=key),
        )


def protocol(person: Person, line: StudyLine) -> None:
    """Show the versions of the protocol and put a changed one in force."""
    slug = line.study.slug
    versions = contents.versions(database(), person, slug=slug, now=now())
    lead.rows_table(
        [{"version": v.version, "at": lead.minute(v.at), "actor": v.actor, "reason": v.reason,
          "digest": v.digest[:12]} for v in reversed(versions)],
        columns={key: t(f"studies.version_{key}")
                 for key in ("version", "at", "actor", "reason", "digest")},
        alt=t("studies.versions_alt"),
    )
    st.download_button(
        t("studies.protocol_file"), versions[-1].content, file_name="protocol.toml",
        mime="application/toml", on_click="ignore", key="protocol-file",
    )
    if line.study.stage not in {Stage.DRAFT, Stage.OPEN}:
        return
    st.subheader(t("studies.amend"))
    st.text(t("studies.amend_about"))
    with st.form("amend", enter_to_submit=False, border=False):
        file = st.file_uploader(t("studies.amend_file"), type=["toml"], key="amend-file")
        reason = st.text_area(t("lead.reason"), key="amend-reason", max_chars=2000, height=80)
        sent = st.form_submit_button(t("studies.amend_now"), type="primary")
    if sent and file is None:
        st.error(t("studies.amend_no_file"))
    elif sent and file is not None:
        content, name = file.getvalue(), file.name
        lead.act(
            lambda: amend(person, slug, content=content, name=name, reason=reason),
            t("studies.amended"),
        )


def amend(person: Person, slug: str, *, content: bytes, name: str, reason: str) -> None:
    """Put an uploaded protocol in force; what is wrong in it is said under its own name."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StudyError("files.encoding_unknown") from None
    loaded = parse_protocol(text, name)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "protocol.toml"
        file.write_text(loaded.text, "utf-8")
        protocols.amend(database(), person, slug=slug, protocol=file, reason=reason, now=now())


def systems(person: Person, line: StudyLine) -> None:
    """Show the systems: masked names, and the true ones once they may be seen."""
    rows = contents.systems_of(database(), person, slug=line.study.slug, now=now())
    shown = line.study.unblinded_at is not None
    st.text(t("studies.systems_shown") if shown else t("studies.systems_masked"))
    keys = ("masked", "name", "baseline") if shown else ("masked",)
    lead.rows_table(
        [{"masked": one.masked, "name": one.name,
          "baseline": t("studies.yes") if one.baseline else ""}
         for one in sorted(rows, key=lambda system: system.masked)],
        columns={key: t(f"studies.system_{key}") for key in keys},
        alt=t("studies.systems_alt"),
    )


def everything(person: Person) -> None:
    """List every study the person leads."""
    every = contents.listing(database(), person, now=now())
    led = [one for one in every if Role.LEAD in one.roles]
    rows = []
    for study_line in led:
        status = lifecycle.status(database(), person, slug=study_line.study.slug, now=now())
        rows.append({
            "title": study_line.study.title, "slug": study_line.study.slug,
            "stage": t(f"lead.stage_{study_line.study.stage}"), "items": study_line.counts.items,
            "systems": study_line.systems, "tasks": status.total,
            "share": status.done / status.total if status.total else 0.0,
        })
    columns: dict[str, str | ColumnConfig] = {
        key: t(f"studies.list_{key}")
        for key in ("title", "slug", "stage", "items", "systems", "tasks")
    }
    columns["share"] = st.column_config.ProgressColumn(
        t("studies.list_share"), min_value=0.0, max_value=1.0, format="percent"
    )
    lead.rows_table(rows, columns=columns, alt=t("studies.list_alt"))


person = require_lead()
line = lead.heading(person, t("studies.title"))
status = lifecycle.status(database(), person, slug=line.study.slug, now=now())
numbers(line, status)
what_next(line, status)
parts = ["stage", "items", "protocol", "systems", "all"]
if is_label_study(line):
    parts.remove("systems")
tabs = dict(zip(parts, st.tabs([t(f"studies.tab_{part}") for part in parts]), strict=True))
with tabs["stage"]:
    show_stages(person, line, status)
with tabs["items"]:
    items(person, line)
with tabs["protocol"]:
    protocol(person, line)
if "systems" in tabs:
    with tabs["systems"]:
        systems(person, line)
with tabs["all"]:
    everything(person)
if person.may_create_studies:
    lead.way_to("import_study", t("studies.import_another"))
