"""The items that split the raters: a list by how far apart scores lie, and one item in full."""

from typing import Final

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.services.results import disagreements
from cbt_core.services.results.disagreements import Case, Split
from pages.ui import lead
from pages.ui.results.view import Row, View, reason, word
from pages.ui.results.view import number as column
from pages.ui.session import database, now
from pages.ui.widgets import literal, plain

PER_PAGE: Final = 10
EVERY: Final = ""
PLACE: Final = "split-item"


def items(view: View) -> None:
    """Show which items split the raters, and the one chosen."""
    st.header(word("split"))
    scale, system = filters(view)
    ranking = ranked(database().url, view.slug, view.state, scale, system, view.person)
    if not ranking:
        st.text(word("nothing_split"))
        return
    st.caption(word("split_about", items=len(ranking)))
    left, right = st.columns([2, 3], gap="medium")
    with left:
        place = pager(len(ranking))
        listed(ranking, place)
    case = disagreements.case(
        database(), view.person, slug=view.slug, item=ranking[place].key, now=now()
    )
    with right:
        show(view, case)
    answers(case)
    st.caption(word("gap_about"))


def filters(view: View) -> tuple[str, str]:
    """Ask for a scale and, from the lock on, for a system; empty: all."""
    left, right = st.columns(2)
    scales = [one.id for one in view.instrument.scales
              if one.level == "answer" and one.id in view.names]
    named = {EVERY: word("all_scales"), **view.names}
    scale = left.selectbox(
        word("scale"), [EVERY, *scales], key="split-scale", on_change=to_start,
        format_func=named.__getitem__,
    )
    if not view.closed:
        return scale, EVERY
    systems = {EVERY: word("all_systems"), **{one: literal(one) for one in view.analysis.systems}}
    system = right.selectbox(
        word("system"), list(systems), key="split-system", on_change=to_start,
        format_func=systems.__getitem__,
    )
    return scale, system


def to_start() -> None:
    """Begin at the first item again."""
    st.session_state[PLACE] = 1


@st.cache_resource(max_entries=24, show_spinner=False)
def ranked(
    url: str, slug: str, state: str, scale: str, system: str, _person: Person
) -> tuple[Split, ...]:
    """Return the items by spread, computed once for each state of the data and filter.

    `url` and `state` only tell data apart; `load` has asked who is looking on this very run.
    """
    return disagreements.split_items(
        database(), _person, slug=slug, scale=scale, system=system, now=now()
    )


def pager(count: int) -> int:
    """Ask which item of the list to show; return its place, from 0."""
    st.session_state[PLACE] = min(max(1, int(st.session_state.get(PLACE, 1))), count)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(word("place", items=count), 1, count, key=PLACE, width=150)
        st.button(word("previous"), on_click=step, args=(-1,), disabled=st.session_state[PLACE] < 2,
                  key="split-previous")
        st.button(word("next"), on_click=step, args=(1,), disabled=st.session_state[PLACE] >= count,
                  key="split-next")
    return int(st.session_state[PLACE]) - 1


def step(by: int) -> None:
    """Go to another item of the list."""
    st.session_state[PLACE] = int(st.session_state[PLACE]) + by


def listed(ranking: tuple[Split, ...], place: int) -> None:
    """Show the page of the list the chosen item stands on; a click on a row goes to its item."""
    start = place - place % PER_PAGE
    rows = [
        {"place": at + 1, "item": f"▸ {one.key}" if at == place else one.key,
         "gap": 100 * one.gap, "spread": 100 * one.spread,
         "differing": f"{one.differing} / {one.units}"}
        for at, one in enumerate(ranking[start:start + PER_PAGE], start=start)
    ]
    key = f"split-rows-{start}-{place}"  # a new table for each place: no row stays ticked
    st.dataframe(
        rows, hide_index=True, width="stretch", height="content", alt=word("split"), key=key,
        on_select=lambda: pick(key, start), selection_mode="single-row",
        column_config={"place": column("rank", "%d"), "item": word("item"),
                       "gap": column("gap", "%.0f %%"), "spread": column("spread", "%.0f %%"),
                       "differing": word("differing")},
    )


def pick(key: str, start: int) -> None:
    """Go to the item of the row that was ticked."""
    ticked = st.session_state[key]["selection"]["rows"]
    if ticked:
        st.session_state[PLACE] = start + int(ticked[0]) + 1


def show(view: View, case: Case) -> None:
    """Show an item: its text, everybody's scores, its answers."""
    st.subheader(literal(word("item_named", item=case.key)))
    if case.risk != "none":
        st.caption(word(f"risk_{case.risk}"))
    plain(case.question, look="strong", key="split-question")
    if case.description:
        plain(case.description, key="split-description")
    scores(view, case)


def scores(view: View, case: Case) -> None:
    """Show every rater's scores side by side, a row for each answer and scale."""
    names = [f"{word('rater')} {one.rater}" for one in case.scores]
    held = {key for one in case.scores for key in one.values}
    rows: list[Row] = []
    for answer in case.columns:
        for scale, name in view.names.items():
            if (answer, scale) not in held:
                continue
            given = [one.values.get((answer, scale)) for one in case.scores]
            numbers = [one for one in given if isinstance(one, int)]
            rows.append({
                "answer": answer, "scale": name,
                **{who: told(view, scale, one) for who, one in zip(names, given, strict=True)},
                "apart": max(numbers) - min(numbers) if numbers else None,
            })
    apart = column("apart", "%d")
    lead.rows_table(
        rows, columns={"answer": word("answer"), "scale": word("scale"),
                       **{name: name for name in names}, "apart": apart},
        alt=word("scores_of_item"),
    )
    st.caption(word("raters_numbered"))


def told(view: View, scale: str, given: int | str | None) -> str:
    """Return a score with its word, or why it is missing."""
    if given is None:
        return "—"
    if isinstance(given, str):
        return reason(given)
    labels = {one.value: one.label(view.analysis.language)
              for one in view.instrument.scale(scale).values}
    return f"{given} {labels.get(given, '')}".strip()


def answers(case: Case) -> None:
    """Show the answers beside each other; without letters before the lock."""
    if case.is_masked:
        st.info(word("letters_about"))
    places = st.columns(max(1, min(2, len(case.answers))))
    for place, shown in enumerate(case.answers):
        with places[place % len(places)], st.container(border=True):
            title = shown.name or word("an_answer")
            plain(title, look="strong", key=f"split-name-{place}")
            plain(shown.text, key=f"split-answer-{place}")
