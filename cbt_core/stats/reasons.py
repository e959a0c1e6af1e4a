"""Why a statistic is undefined: one code per reason, its words in two languages."""

from enum import StrEnum

from cbt_core.wording import say


class Reason(StrEnum):
    """Why a value, or only its interval, is missing."""

    NO_RATINGS = "no_ratings"
    NO_PAIRS = "no_pairs"
    NO_COMMON = "no_common"
    ALL_EQUAL = "all_equal"
    ONE_CATEGORY = "one_category"
    CONSTANT_RATER = "constant_rater"
    FEW_RATERS = "few_raters"
    FEWER_THAN_THREE_RATERS = "fewer_than_three_raters"
    NOT_CROSSED = "not_crossed"
    ONE_COMPLETE = "one_complete"
    NO_UNIT_VARIANCE = "no_unit_variance"
    SINGLE_RATINGS = "single_ratings"
    FEW_MODAL = "few_modal"
    NO_RESIDUAL = "no_residual"
    NOMINAL = "nominal"
    UNSTABLE = "unstable"
    FEW_PAIRED_ITEMS = "few_paired_items"
    ALL_ZERO = "all_zero"
    NO_SPREAD = "no_spread"
    NOT_CONVERGED = "not_converged"
    NO_MODEL = "no_model"
    NO_GUESSES = "no_guesses"
    ONLY_DONT_KNOW = "only_dont_know"
    NOT_TWO_ARMS = "not_two_arms"
    NO_CHANCE_DISAGREEMENT = "no_chance_disagreement"
    ONE_CLUSTER = "one_cluster"
    NO_VARIATION = "no_variation"
    FEW_COMMON = "few_common"
    NO_REPEATS = "no_repeats"
    NO_PREFERENCES = "no_preferences"
    NO_DECIDED = "no_decided"
    ONLY_TIES = "only_ties"
    NO_TIES = "no_ties"
    SEPARATED = "separated"
    DISCONNECTED = "disconnected"
    SIDES_FIXED = "sides_fixed"
    LENGTH_CONSTANT = "length_constant"
    FEW_TASKS = "few_tasks"
    NO_MATCHED = "no_matched"
    CONSTANT_MEASURE = "constant_measure"
    FEW_INSTANCES = "few_instances"
    WILCOXON_USED = "wilcoxon_used"
    NO_ANSWERS = "no_answers"
    TOO_MANY_ANSWERS = "too_many_answers"
    NOT_YET_LOCKED = "not_yet_locked"
    NOT_UNBLINDED = "not_unblinded"

    @property
    def text(self) -> str:
        """Return the reason as it stands in the JSON (English)."""
        return say(f"stats.{self.value}", "en")


def translated(text: str, language: str) -> str:
    """Return a reason of the JSON in a language; an unknown one comes back as it is."""
    for reason in Reason:
        if reason.text == text:
            return say(f"stats.{reason.value}", language)
    return text
