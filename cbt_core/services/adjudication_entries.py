"""What an adjudicator sent, checked as labels are: nothing from a browser is believed."""

from cbt_core.errors import Invalid
from cbt_core.services import label_entries
from cbt_core.services.label_entries import FIELDS, CheckedLabels, LabelRules, checked_text
from cbt_core.services.studies import StudySetup
from db.items import ItemRow


def check(entries: object, setup: StudySetup, row: ItemRow) -> CheckedLabels:
    """Return a decision as it may be stored.

    Raises:
        Invalid: no reason, no label and no verdict, or something unknown or out of range.
    """
    sent = entries if isinstance(entries, dict) else {}
    if not checked_text(sent, "reason").strip():
        raise Invalid("adjudicating.reason_missing", missing=((None, "reason"),))
    if not (sent.get("labels") or sent.get("spans") or sent.get("verdict")):
        raise Invalid("adjudicating.labels_missing", missing=((None, "labels"),))
    return label_entries.check(entries, LabelRules(
        labels=frozenset(one.id for one in setup.scheme.labels),
        texts=dict(zip(FIELDS, (row.question, row.description), strict=True)),
        is_correction=True,
    ))
