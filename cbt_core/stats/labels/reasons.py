"""Why a figure about labels is undefined: one code per reason, its words in two languages."""

from enum import StrEnum

from cbt_core.stats import values
from cbt_core.stats.values import Value
from cbt_core.words import say


class Reason(StrEnum):
    """Why a figure about labels, or only its interval, is missing."""

    NO_SETS = "no_sets"
    NO_PAIRS = "no_pairs"
    ALL_EQUAL = "all_equal"
    NO_COMMON = "no_common"
    ONE_COMMON = "one_common"
    CONSTANT_ANNOTATOR = "constant_annotator"
    NO_SPANS_FILE = "no_spans_file"
    NO_CHARACTERS = "no_characters"
    NOTHING_MARKED = "nothing_marked"
    ALL_MARKED = "all_marked"
    NO_ITEMS = "no_items"
    NEVER_PREDICTED = "never_predicted"
    NEVER_IN_GOLD = "never_in_gold"
    ALWAYS_IN_GOLD = "always_in_gold"
    IN_NEITHER = "in_neither"
    ONE_ANSWER = "one_answer"
    NOT_PUBLISHED = "not_published"
    NO_SECOND_ROUND = "no_second_round"
    NO_BLIND_LABELS = "no_blind_labels"
    NOTHING_TO_ADOPT = "nothing_to_adopt"

    @property
    def text(self) -> str:
        """Return the reason as it stands in the JSON (English)."""
        return say(f"labels.why_{self.value}", "en")


def undefined(reason: Reason) -> Value:
    """Return a value that is not defined, with the reason."""
    return Value(None, reason=reason.text)


def translated(text: str, language: str) -> str:
    """Return a reason of the JSON in a language; an unknown one comes back as it is."""
    for reason in Reason:
        if reason.text == text:
            return say(f"labels.why_{reason.value}", language)
    if text == values.Reason.UNSTABLE.text:
        return say("labels.why_unstable", language)
    return values.translated(text, language)
