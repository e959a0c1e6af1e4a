"""Times as they are stored: ISO-8601 UTC text of fixed width, so that text order is time order."""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """Return a UTC moment as stored text.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a stored time needs a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(stored: str) -> datetime:
    """Return the moment of stored text."""
    return datetime.strptime(stored, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
