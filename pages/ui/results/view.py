"""What the sections of the results share: the data in hand, cells of tables, why one is closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cbt_core.analysis.study import Analysis
from cbt_core.domain.instrument import Instrument
from cbt_core.domain.people import Person
from cbt_core.instruments.shipped import defaults
from cbt_core.services.results import study_results
from cbt_core.services.results.study_results import Everything
from cbt_core.stats.values import Framed, translated
from pages.ui import lead
from pages.ui.session import database, now
from pages.ui.widgets import literal
from pages.ui.words import language, t

Row = dict[str, object]

LEAST_P: Final = 0.001
REASONS: Final = frozenset({"not_done", "not_given", "skipped", "cannot_rate"})
"""Reasons the sheet gives by itself; the others are those offered to who skips."""


@dataclass(frozen=True, slots=True)
class View:
    """A study's results; `state` is the key of the data they rest on, `person` who looks."""

    slug: str
    state: str
    person: Person
    found: Everything

    @property
    def analysis(self) -> Analysis:
        """Return the analysis."""
        return self.found.analysis

    @property
    def instrument(self) -> Instrument:
        """Return the instrument in force."""
        return self.found.instrument

    @property
    def names(self) -> dict[str, str]:
        """Return the names of the rated scales by id, in the study's language."""
        words = self.analysis.language
        return {one: self.instrument.scale(one).name(words) for one in self.analysis.scales}

    @property
    def closed(self) -> bool:
        """Tell whether systems may be told apart."""
        return bool(self.analysis.systems)


def load(person: Person, slug: str) -> View:
    """Return the results of a study; who may see them is asked every time, before any cache.

    Raises:
        StudyError: not the person's, nothing rated, or the person rates in it before the lock.
    """
    state = study_results.state(database(), person, slug=slug, now=now())
    with st.spinner(t("results.computing")):
        return View(slug, state, person, _computed(database().url, slug, state, person))


@st.cache_data(max_entries=24, show_spinner=False)
def _computed(url: str, slug: str, state: str, _person: Person) -> Everything:
    """Compute once for each state of the data; `url` and `state` are there to tell them apart."""
    return study_results.everything(database(), _person, slug=slug, now=now())


def word(key: str, **values: object) -> str:
    """Return a text of this screen."""
    return t(f"results.{key}", **values)


def number(key: str, form: str = "%.2f") -> ColumnConfig:
    """Return a column of numbers whose decimals stand under one another."""
    return st.column_config.NumberColumn(word(key), format=form)


def cells(stat: Framed, **before: object) -> Row:
    """Return a figure as cells of a table; an undefined one, or one without limits, has why."""
    why = translated(stat.reason, language()) if stat.reason else ""
    return {**before, "value": stat.value, "low": stat.low, "high": stat.high, "why": why}


def limits() -> dict[str, str | ColumnConfig]:
    """Return the columns of a figure with its interval."""
    return {"value": number("value"), "low": number("low"), "high": number("high")}


def why() -> dict[str, str | ColumnConfig]:
    """Return the column that says why something is undefined."""
    return {"why": word("undefined")}


def withheld(view: View, section: str) -> bool:
    """Say why a section may not be shown yet; True when it may not."""
    reason = view.analysis.withheld.get(section)
    if reason is not None:
        st.info(literal(translated(reason, language())))
    return reason is not None


def planned(view: View, section: str) -> None:
    """Say whether the registered plan names an analysis."""
    st.caption(word("planned" if view.analysis.planned.get(section) else "exploratory"))


def told(figure: Framed, digits: int = 2, *, signed: bool = False) -> str:
    """Return a figure with its interval as text, or why there is none."""
    if figure.value is None:
        return translated(figure.reason, language()) if figure.reason else "—"
    sign = "+" if signed else ""
    value, low, high = (
        f"{part:{sign}.{digits}f}".replace("-", "−") if part is not None else ""
        for part in (figure.value, figure.low, figure.high)
    )
    return f"{value} [{low}, {high}]" if low and high else value


def p_value(p: float | None) -> str:
    """Return a p value as journals print it; a figure space stands where others have "<"."""
    if p is None:
        return "—"
    return "<0.001" if p < LEAST_P else f"\u2007{p:.3f}"


def show_table(rows: Sequence[Row], *, columns: Mapping[str, str | ColumnConfig], alt: str) -> None:
    """Show a table; a column of notes without any note is left out."""
    has_notes = any(row.get("why") for row in rows)
    kept = {key: title for key, title in columns.items() if key != "why" or has_notes}
    lead.rows_table(rows, columns=kept, alt=alt)


def reason(key: str) -> str:
    """Return why a score is missing in words; a skipped task names its own reason."""
    first, _, second = key.partition(":")
    names = {one.id: one.name(language()) for one in defaults().skip_reasons}
    sentence = word(f"reason_{first}") if first in REASONS else names.get(first, first)
    return f"{sentence} ({reason(second)})" if second else sentence
