"""Export: every table of a study in one archive, its report, and the head of its audit chain."""

from urllib.parse import quote

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import StudyError
from cbt_core.files.writer import FORMS
from cbt_core.services.export import study_export
from cbt_core.services.operations import storage
from cbt_core.services.studies import lifecycle, overview
from cbt_core.services.studies.contents import StudyLine
from pages.ui import lead
from pages.ui.session import database, now, require_lead, settings
from pages.ui.study_stages import is_label_study
from pages.ui.words import t


def download(line: StudyLine) -> None:
    """Choose the form, and after the unblinding whether names stand in it."""
    study = line.study
    st.header(t("export.download_title"))
    form = st.radio(
        t("export.form"), FORMS, horizontal=True, key="export-form",
        format_func={one: t(f"export.form_{one}") for one in FORMS}.__getitem__,
    )
    unblinded = with_names(line)
    st.link_button(
        t("export.download"),
        f"{settings().base_path}/download/export/{quote(study.slug)}"
        f"?form={form}&unblinded={int(unblinded)}",
        type="primary", key="export-download",
    )
    st.caption(t("export.identical"))


def with_names(line: StudyLine) -> bool:
    """Ask whether names of systems stand in the export; where there are none it is not asked."""
    shown = line.study.unblinded_at is not None
    if is_label_study(line) and not shown:
        return False
    names = st.radio(
        t("export.names"), (False, True), horizontal=True, key="export-names",
        format_func={False: t("export.blinded"), True: t("export.unblinded")}.__getitem__,
        disabled=not shown,
    )
    if not shown:
        st.caption(t("export.blinded_only"))
    return bool(names) and shown


def report(person: Person, line: StudyLine) -> None:
    """Offer the report as one archive, in the study's language or the other."""
    study = line.study
    st.header(t("export.report_title"))
    st.text(t("export.report_about"))
    languages = (study.language, *(one for one in ("zh", "en") if one != study.language))
    language = st.radio(
        t("export.report_language"), languages, horizontal=True, key="export-report-language",
        format_func={one: t(f"export.report_{one}") for one in languages}.__getitem__,
    )
    rates = person.has(Role.RATER, study.id) and study.locked_at is None
    rated = lifecycle.status(database(), person, slug=study.slug, now=now()).done
    ready = bool(rated) and not rates
    st.link_button(
        t("export.report_download"),
        f"{settings().base_path}/download/report/{quote(study.slug)}?lang={language}",
        key="export-report", disabled=not ready,
    )
    if not ready:
        st.caption(t("export.report_waits"))


def content(person: Person, line: StudyLine) -> None:
    """List what is in the archive."""
    st.header(t("export.content"))
    names = study_export.table_names(database(), person, slug=line.study.slug, now=now())
    lead.facts([(name, t(f"export.table_{name}")) for name in names], key="content")


def chain(person: Person, line: StudyLine) -> None:
    """Show the newest hash of the audit chain, to keep elsewhere; walk the chain when asked."""
    st.header(t("export.chain"))
    st.text(t("export.chain_about"))
    st.caption(t("export.head"))
    head = overview.chain_head(database(), person, slug=line.study.slug, now=now())
    st.code(head, language=None, wrap_lines=True)
    if not st.button(t("export.verify"), key="export-verify"):
        return
    try:
        check = storage.verify(database(), person, slug=line.study.slug, now=now())[0]
    except StudyError as error:
        lead.sorry(error)
        return
    if check.broken_at is None:
        st.success(t("export.holds", entries=check.entries))
    else:
        st.error(t("export.broken", seq=check.broken_at))


person = require_lead()
line = lead.heading(person, t("export.title"))
left, right = st.columns([5, 7], gap="large")
with left:
    download(line)
    report(person, line)
    chain(person, line)
with right:
    content(person, line)
