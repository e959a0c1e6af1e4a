"""Where the texts come from, and who answers an escalation when somebody may be waiting."""

from typing import Final

from cbt_core.domain.protocol import ARCHIVED, LIVE, Escalation, Protocol
from cbt_core.instruments import defaults
from cbt_core.instruments.reading import Table

SOURCE_KINDS: Final = (ARCHIVED, LIVE)
MOST_HOURS: Final = 720
"""Thirty days: a longer limit is none."""


def read_escalation(table: Table, source_kind: str) -> Escalation:
    """Return who answers escalations and within how many hours; empty for archived texts.

    Raises:
        StudyError: owner or limit is missing for live texts, or given for archived ones.
    """
    table.only("owner", "within_hours")
    if source_kind != LIVE:
        for key in table.content:
            raise table.refusal(key, "protocol.escalation_not_live")
        return Escalation()
    for key in ("owner", "within_hours"):
        if not table.has(key):
            raise table.refusal(key, "protocol.live_needs_escalation")
    return Escalation(
        owner=table.text("owner"), within_hours=table.whole("within_hours", low=1, high=MOST_HOURS)
    )


def check_live(table: Table, protocol: Protocol) -> None:
    """Refuse a live study in which nothing can be escalated, or whose consent says archived.

    Raises:
        StudyError: the flags are off, or the consent is the shipped one for archived texts.
    """
    if not protocol.is_live:
        return
    if not protocol.sheet.flags:
        raise table.refusal("sheet.flags", "protocol.live_needs_flags")
    if protocol.raters.consent == defaults().consent:
        raise table.refusal("rater.consent", "protocol.live_archived_consent")
