"""The methods paragraph, ready to paste, and the limitations that follow from the data."""

from cbt_core.services.reporting.context import ReportContext
from cbt_core.services.reporting.facts import View, joined
from cbt_core.services.reporting.facts_limits import limits
from cbt_core.services.reporting.facts_methods import methods
from cbt_core.services.study_analysis import Analysis


def methods_paragraph(analysis: Analysis, context: ReportContext, lang: str) -> str:
    """Return the methods section in a language (`zh` or `en`): only what this study did.

    References stand as author and year. Systems are named as far as the stage allows.
    """
    return joined(methods(View(analysis, context)))(lang)


def limitations(analysis: Analysis, context: ReportContext, lang: str) -> list[str]:
    """Return the limitations of a study in a language, one sentence or two each."""
    return [one(lang) for one in limits(View(analysis, context))]
