"""Progress, live: who is where, which items are covered, what is missing, who needs a word."""

from collections import Counter
from datetime import datetime, timedelta

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.study_setup import StudySetup
from cbt_core.instruments.shipped import defaults
from cbt_core.services.studies import contents, overview
from cbt_core.services.studies.contents import StudyLine
from cbt_core.services.studies.overview import Pace, Watch
from cbt_core.words import say, sentences
from pages.ui import charts, lead
from pages.ui.session import database, now, require_lead, signed_in
from pages.ui.widgets import plain
from pages.ui.words import LANGUAGES, language, t

EVERY = timedelta(seconds=15)
LIVE_FOR = timedelta(minutes=20)
"""Afterwards the page rests: watching by itself must not keep a sign-in alive for ever."""

SINCE = "progress_since"
FEWEST_SHOWN = 8


@st.fragment(run_every=EVERY)
def live(line: StudyLine) -> None:
    """Draw everything that changes; this runs again by itself, so it asks again who looks."""
    if now() - st.session_state[SINCE] > LIVE_FOR:
        st.info(t("progress.resting"))
        if st.button(t("progress.wake")):
            st.session_state[SINCE] = now()
            st.rerun()
        return
    person = signed_in()
    if person is None:
        st.info(t("progress.signed_out"))
        return
    seen = overview.watch(database(), person, slug=line.study.slug, now=now())
    numbers(seen)
    if not seen.total:
        st.info(t("progress.nothing"))
        lead.way_to("design")
        return
    people(seen)
    left, right = st.columns(2, gap="large")
    with left:
        coverage(seen)
    with right:
        missing(seen, contents.setup_for(database(), person, slug=line.study.slug, now=now()))
    if seen.practice:
        practice(seen)
    st.caption(t("progress.as_of", time=f"{now():%H:%M:%S}"))


def numbers(seen: Watch) -> None:
    """Show the whole at a glance."""
    ends = [one.finish for one in seen.people if one.finish]
    cells = {
        "done": f"{seen.done:,} / {seen.total:,}",
        "skipped": f"{seen.skipped:,}",
        "hours": f"{sum(one.hours for one in seen.people):.1f}",
        "behind": str(sum(bool(one.behind) for one in seen.people)),
        "finish": lead.day(max(ends, default=None)),
    }
    for column, (key, value) in zip(st.columns(len(cells)), cells.items(), strict=True):
        column.metric(t(f"progress.{key}"), value)
    st.progress(min(1.0, (seen.done + seen.skipped) / seen.total) if seen.total else 0.0)


def people(seen: Watch) -> None:
    """Show everybody's tasks, as bars and in numbers."""
    st.header(t("progress.per_person"))
    left, right = st.columns([5, 7], gap="large")
    with left:
        charts.people_chart([
            {"code": label(one, seen), "done": one.done, "skipped": one.skipped, "left": one.left}
            for one in seen.people
        ])
    with right:
        lead.rows_table(
            [person_row(one, seen) for one in seen.people],
            columns={
                "code": t("progress.person"),
                "state": t("progress.state"),
                "done": st.column_config.TextColumn(t("progress.done"), alignment="right"),
                "skipped": t("progress.skipped"),
                "hours": st.column_config.NumberColumn(t("progress.hours"), format="%.1f"),
                "pace": st.column_config.NumberColumn(t("progress.per_day"), format="%.1f"),
                "last": t("progress.last"),
                "finish": t("progress.finish"),
            },
            alt=t("progress.table_alt"),
        )


def label(pace: Pace, seen: Watch) -> str:
    """Return a code, with the kind of work where somebody does both."""
    both = sum(other.code == pace.code for other in seen.people) > 1
    return f"{pace.code} · {t(f'progress.work_{pace.work}')}" if both else pace.code


def person_row(row: Pace, seen: Watch) -> dict[str, object]:
    """Return a person's line of the table."""
    state = row.behind or ("left" if not row.active else ("complete" if not row.left else "fine"))
    return {
        "code": label(row, seen), "done": f"{row.done} / {row.total}", "skipped": row.skipped,
        "hours": row.hours, "pace": row.per_day, "last": lead.minute(row.last_at),
        "finish": lead.day(row.finish), "state": t(f"progress.is_{state}"),
    }


def coverage(seen: Watch) -> None:
    """Show how many ratings the items have, and those that have fewest."""
    st.header(t("progress.per_item"))
    asked = [one for one in seen.items if not one.withdrawn and one.total]
    usual = Counter(one.total for one in asked).most_common(1)
    if not usual:
        return
    counts = Counter(one.done + one.skipped for one in asked)
    charts.coverage_chart(counts, usual[0][0])
    short = sorted(
        (one for one in asked if one.done + one.skipped < one.total),
        key=lambda one: (one.done + one.skipped) / one.total,
    )[:FEWEST_SHOWN]
    if short:
        plain(
            t("progress.fewest", items=" · ".join(
                f"{one.key} {one.done + one.skipped}/{one.total}" for one in short)),
            look="small", key="fewest",
        )
    withdrawn = sum(one.withdrawn for one in seen.items)
    if withdrawn:
        st.caption(t("progress.withdrawn", count=withdrawn))


def missing(seen: Watch, setup: StudySetup) -> None:
    """Show why scores are missing: cannot rate by scale, skipped tasks by reason."""
    st.header(t("progress.missing"))
    reasons = {one.id: one.name(language()) for one in defaults().skip_reasons}
    words = setup.protocol.language
    rows: list[dict[str, object]] = [
        {"what": f"{t('progress.task')}", "why": reasons.get(reason, reason), "count": count,
         "share": count / seen.total if seen.total else None}
        for reason, count in seen.skips.items()
    ]
    names = {scale.id: scale.name(words) for scale in setup.instrument.scales}
    for gap in seen.missing:
        of = seen.given.get(gap.scale, 0) + sum(
            other.count for other in seen.missing if other.scale == gap.scale
        )
        key = f"progress.reason_{gap.reason}"
        why = t(key) if key in sentences(language()) else gap.reason
        rows.append({"what": names.get(gap.scale, gap.scale), "why": why, "count": gap.count,
                     "share": gap.count / of})
    if not rows:
        st.text(t("progress.none_missing"))
        return
    lead.rows_table(
        rows,
        columns={
            "what": t("progress.what"), "why": t("progress.why"), "count": t("progress.count"),
            "share": st.column_config.NumberColumn(t("progress.share"), format="percent"),
        },
        alt=t("progress.missing_alt"),
    )


def practice(seen: Watch) -> None:
    """Show how practice went; who waits for the lead is let in on the people page."""
    st.header(t("progress.practice"))
    lead.rows_table(
        [{"code": one.code, "attempt": one.attempt, "right": f"{one.right} / {one.asked}",
          "state": t(f"progress.practice_{one.state}")} for one in seen.practice],
        columns={"code": t("progress.person"), "attempt": t("progress.attempt"),
                 "right": t("progress.right"), "state": t("progress.state")},
        alt=t("progress.practice_alt"),
    )
    if any(one.state == "held" for one in seen.practice):
        lead.way_to("people", t("progress.let_in"))


def reminders(person: Person, line: StudyLine, at: datetime) -> None:
    """Offer a text to copy for everybody who is behind."""
    seen = overview.watch(database(), person, slug=line.study.slug, now=at)
    behind = [one for one in seen.people if one.behind]
    if not behind:
        return
    st.header(t("progress.reminders"))
    st.text(t("progress.reminders_about"))
    by_code = {one.code: one for one in behind}
    left, right = st.columns([2, 3])
    who = left.selectbox(t("progress.person"), list(by_code), key="remind-who")
    words = right.radio(
        t("progress.remind_language"), LANGUAGES, horizontal=True, key="remind-language",
        index=LANGUAGES.index(language()),
        format_func={"zh": "中文", "en": "English"}.__getitem__,
    )
    pace = by_code[who]
    st.code(
        say(
            "progress.reminder", words, person=pace.code, title=line.study.title, done=pace.done,
            total=pace.total, left=pace.left,
        ),
        language=None, wrap_lines=True,
    )


person = require_lead()
line = lead.heading(person, t("progress.title"))
st.session_state[SINCE] = now()
live(line)
reminders(person, line, now())
