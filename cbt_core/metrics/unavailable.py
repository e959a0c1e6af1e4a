"""A metric that cannot run here: its value is null, with the reason and what to do."""

from cbt_core.errors import StudyError


class Unavailable(StudyError):  # noqa: N818 - a state of this machine, not a fault
    """A model is missing, unfit for these texts, or not what it should be."""
