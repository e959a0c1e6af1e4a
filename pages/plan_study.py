"""Plan a study before it is made: power, width of intervals, hours, and what to register."""

import json
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cbt_core.errors import StudyError
from cbt_core.services.assignment import sample_size
from cbt_core.services.assignment.sample_size import Asked, picture, recommendation, sentence, told
from cbt_core.stats.planning.plan import Plan, hours
from cbt_core.stats.planning.power import Power
from cbt_core.stats.planning.simulation import ASSUMED, SDS
from pages.ui import lead
from pages.ui.charts import plan_charts
from pages.ui.session import require_lead
from pages.ui.widgets import plain
from pages.ui.words import LANGUAGES, language, t

SKEWS: Final = ("moderate", "strong", "none", "own")
STUDIES, FEWER, LARGE = 1000, 300, 2000
"""Studies to simulate: fewer beyond so many items, so that the screen answers."""

KEPT: Final = "plan_asked"


def count(name: str, value: int, least: int, most: int) -> int:
    """Ask for a whole number."""
    return int(st.number_input(
        t(f"plan_study.{name}"), min_value=least, max_value=most, value=value, step=1,
        key=f"plan-{name}", help=t(f"plan_study.{name}_help"),
    ))  # fmt: skip


def decimal(name: str, value: float, most: float, step: float = 0.05) -> float:
    """Ask for a number with decimals."""
    return float(st.number_input(
        t(f"plan_study.{name}"), min_value=0.0, max_value=most, value=value, step=step,
        format="%.2f", key=f"plan-{name}", help=t(f"plan_study.{name}_help"),
    ))  # fmt: skip


def ask() -> Asked | None:
    """Ask for the design and, folded away, for what is assumed; None: not sent."""
    with st.form("plan", enter_to_submit=False, border=False):
        left, right = st.columns(2)
        with left:
            items = count("items", 100, 10, 50_000)
            overlap = count("overlap", 3, 1, 100)
        with right:
            raters = count("raters", 5, 1, 200)
            comparisons = count("comparisons", 1, 1, 20)
        difference = decimal("difference", 0.2, 10.0)
        skew = st.selectbox(
            t("plan_study.skew"), SKEWS, key="plan-skew", help=t("plan_study.skew_help"),
            format_func={one: t(f"plan_study.skew_{one}") for one in SKEWS}.__getitem__,
        )
        with st.expander(t("plan_study.assumptions")):
            held = assumptions()
        sent = st.form_submit_button(t("plan_study.compute"), type="primary")
    if not sent:
        return None
    return Asked(
        items=items, raters=raters, overlap=overlap, difference=difference,
        comparisons=comparisons, skew=None if skew in {"own", "moderate"} else skew,
        shares=sample_size.numbers(held.shares) if skew == "own" else None, sds=held.sds,
        missing=held.missing or None, characters=held.characters, seed=held.seed,
        simulations=STUDIES if items <= LARGE else FEWER,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """What is assumed beside the design; `sds` holds those that were changed."""

    sds: tuple[tuple[str, float], ...]
    missing: float
    shares: str
    characters: int
    seed: int


def assumptions() -> Held:
    """Ask for standard deviations, missing pairs, reading, own shares and the simulation."""
    st.caption(t("plan_study.assumptions_about"))
    held = st.columns(2)
    sds = []
    for place, name in enumerate(SDS):
        with held[place % 2]:
            sds.append((name, decimal(name, getattr(ASSUMED, name), 10.0)))
    with held[1]:
        missing = decimal("missing", 0.0, 90.0, 1.0) / 100
    shares = st.text_input(t("plan_study.shares"), key="plan-shares", placeholder="0.1, 0.3, 0.6",
                           help=t("plan_study.shares_help"), max_chars=100)  # fmt: skip
    left, right = st.columns(2)
    with left:
        characters = count("characters", 1400, 1, 100_000)
    with right:
        seed = count("seed", 1, 0, 2**31 - 1)
    changed = tuple((name, sd) for name, sd in sds if sd != getattr(ASSUMED, name))
    return Held(changed, missing, shares, characters, seed)


def figures(plan: Plan) -> None:
    """Show the four numbers that matter."""
    read = hours(plan.wish)
    width = plan.width["alpha_ordinal"]
    values = {
        "crossed": share(plan.power.crossed.value, plan.power.crossed.mc_error),
        "item": share(plan.power.item_level.value, plan.power.item_level.mc_error),
        "width": told(width.width) or "—",
        "hours": f"{read.low:.1f}–{read.high:.1f}",
    }
    for column, (name, value) in zip(st.columns(4), values.items(), strict=True):
        about = t(f"plan_study.figure_{name}_help")
        column.metric(t(f"plan_study.figure_{name}"), value, help=about)


def share(value: float | None, error: float | None) -> str:
    """Return a power with its Monte Carlo error."""
    return "—" if value is None else f"{value:.2f} ± {error or 0:.2f}"


def tables(plan: Plan) -> None:
    """Show what the figures are made of, and how they hang on the raters."""
    number = st.column_config.NumberColumn
    powers: dict[str, str | ColumnConfig] = {
        key: number(t(f"plan_study.column_{key}"), format="%.2f") for key in ("crossed", "item")
    }
    first, second = st.columns(2)
    with first:
        st.subheader(t("plan_study.by_raters"))
        rows = [
            {"raters": size.raters, "overlap": size.overlap, **powered(one),
             "hours": f"{hours(plan.wish, size).low:.1f}–{hours(plan.wish, size).high:.1f}"}
            for size, one in plan.alternatives
        ]
        lead.rows_table(
            rows, alt=t("plan_study.by_raters"),
            columns={"raters": t("plan_study.column_raters"),
                     "overlap": t("plan_study.column_overlap"), **powers,
                     "hours": t("plan_study.column_hours")},
        )
    with second:
        st.subheader(t("plan_study.by_liking"))
        lead.rows_table(
            [{"sd": sd, **powered(one)} for sd, one in plan.likings],
            alt=t("plan_study.by_liking"),
            columns={"sd": number(t("plan_study.sd_rater_system"), format="%.2f"), **powers},
        )
        st.caption(t("plan_study.by_liking_about"))


def powered(power: Power) -> dict[str, object]:
    """Return both powers as cells."""
    return {"crossed": power.crossed.value, "item": power.item_level.value}


def register(plan: Plan) -> None:
    """Show the sentence for the pre-registration in both languages, ready to copy."""
    st.subheader(t("plan_study.register"))
    st.html("""<style>
.st-key-plan-register :is(pre, code, code *) { font-family: inherit !important; }
</style>""")
    with st.container(key="plan-register"):
        for words in sorted(LANGUAGES, key=lambda one: one != language()):
            st.code(sentence(plan, words), language=None, wrap_lines=True)


def downloads(plan: Plan) -> None:
    """Offer plots and data as files."""
    files = (
        ("svg", "image/svg+xml", lambda: picture(plan, language(), "svg")),
        ("png", "image/png", lambda: picture(plan, language(), "png")),
        ("json", "application/json", lambda: json.dumps(
            sample_size.plan_json(plan), ensure_ascii=False, indent=1
        )),
    )  # fmt: skip
    with st.container(horizontal=True):
        for form, mime, make in files:
            st.download_button(
                t(f"plan_study.download_{form}"), make, file_name=f"plan.{form}", mime=mime,
                on_click="ignore", key=f"plan-download-{form}",
            )


def show(asked: Asked) -> None:
    """Simulate and show."""
    with st.spinner(t("plan_study.working")):
        plan = sample_size.plan(sample_size.wish_of(asked))
    main, *rest = recommendation(plan, language())
    plain(main, look="strong", key="plan-advice")
    figures(plan)
    plan_charts(plan)
    for place, words in enumerate(rest):
        plain(words, key=f"plan-advice-{place}")
    tables(plan)
    register(plan)
    downloads(plan)
    st.caption(t("plan_study.simulated", studies=f"{plan.wish.simulations:,}",
                 beside=f"{plan.beside:,}"))  # fmt: skip


require_lead()
lead.dress()
st.title(t("plan_study.title"))
st.caption(t("plan_study.about"))
inputs, results = st.columns([2, 5], gap="large")
try:
    with inputs:
        sent = ask()
    if sent is not None:
        st.session_state[KEPT] = sent
    with results:
        show(st.session_state.get(KEPT) or Asked(items=100, raters=5, overlap=3, difference=0.2))
except StudyError as error:
    lead.sorry(error)
