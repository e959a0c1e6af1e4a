"""Mistakes we can explain to the person who made them."""

from cbt_core.words import say


class StudyError(Exception):
    """An expected refusal: a code of `cbt_core.words` and the values of its sentence.

    The sentence never holds a person's words (question, answer, comment, name): it may be logged.
    """

    def __init__(self, code: str, /, **values: object) -> None:
        """Keep the code and the values; `str()` gives the English sentence."""
        super().__init__(code)
        self.code = code
        self.values = values

    def say(self, language: str) -> str:
        """Return the sentence in a language (`en` or `zh`)."""
        return say(self.code, language, **self.values)

    def __str__(self) -> str:
        """Return the English sentence."""
        return self.say("en")


class Refused(StudyError):  # noqa: N818 - it is a refusal, not a fault
    """The person may not do this (wrong role, wrong study, not signed in)."""


class NotSaved(StudyError):  # noqa: N818 - named after what the person must know
    """The storage did not take the write (full, read-only, busy): entries stay on the page."""


class Conflict(StudyError):  # noqa: N818
    """Somebody (or another tab) changed the same thing first."""


class Invalid(StudyError):  # noqa: N818
    """What was sent is incomplete or out of range; `missing` names slot and scale."""

    def __init__(
        self, code: str, /, *, missing: tuple[tuple[str | None, str], ...] = (), **values: object
    ) -> None:
        """Keep the missing (slot, scale) places beside the code."""
        super().__init__(code, **values)
        self.missing = missing
