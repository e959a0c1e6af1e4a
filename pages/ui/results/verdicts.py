"""What agreement figures say, in one sentence, for people who do not live with them."""

from cbt_core.analysis.reading_rules import band, verdict_of
from cbt_core.stats.agreement.results import StratumFigures
from cbt_core.stats.values import translated
from pages.ui.words import language, t


def reading(figures: StratumFigures) -> str:
    """Return one sentence on what the figures of a stratum say, by which benchmark."""
    percent, alpha, gwet = figures.percent_agreement.value, figures.alpha, figures.ac.value
    known: dict[str, str] = {
        "percent": f"{percent or 0:.0%}", "ac": figures.ac_name,
        "gwet": "—" if gwet is None else f"{gwet:.2f}",
    }
    if alpha.value is None:
        known["reason"] = translated(alpha.reason or "", language())
    else:
        known |= {
            "alpha": f"{alpha.value:.2f}", "band": t(f"results.band_{band(alpha.value)}"),
        }
    return t(f"results.read_{verdict_of(figures)}", **known)
