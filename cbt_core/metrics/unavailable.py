"""A metric that cannot run here: its value is null, with the reason and what to do."""

from typing import Final

from cbt_core.errors import StudyError

OURS: Final = "cbt_core"


class Unavailable(StudyError):  # noqa: N818 - a state of this machine, not a fault
    """A model is missing, unfit for these texts, or not what it should be."""


def without_package(metric: str, error: ImportError) -> Unavailable:
    """Return that a metric lacks a package, from the failed import that told so.

    Raises:
        ImportError: what is missing is a part of ours.
    """
    name = (error.name or "").partition(".")[0]
    if name == OURS:
        raise error
    return Unavailable("metrics.no_package", metric=metric, package=name or "?")
