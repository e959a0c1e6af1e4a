"""The answers inside a PsyQA record: kept as references, their strategy spans checked."""

from cbt_core.files.fields import Values
from cbt_core.files.json_records import kind_of


def references(values: Values, answers: list[object]) -> tuple[str, ...]:
    """Return the texts of the answers of a PsyQA record; what is wrong is noted."""
    found: list[str] = []
    for number, answer in enumerate(answers, start=1):
        field = f"answers[{number}]"
        if not isinstance(answer, dict):
            values.refuse(field, "json_not_an_object", kind=kind_of(answer))
            continue
        text = values.text_of(answer.get("answer_text"), f"{field}.answer_text", required=True)
        found.append(text)
        if not isinstance(answer.get("has_label", False), bool):
            values.refuse(f"{field}.has_label", "not_true_or_false")
        _judge_spans(values, f"{field}.labels_sequence", answer.get("labels_sequence"), len(text))
    return tuple(found)


def _judge_spans(values: Values, field: str, spans: object, length: int) -> None:
    if spans is None:
        return
    if not isinstance(spans, list):
        values.refuse(field, "spans_not_a_list", kind=kind_of(spans))
        return
    end = 0
    for number, span in enumerate(spans, start=1):
        place = _ends(span)
        if place is None or not 0 <= place[0] <= place[1] <= length:
            values.refuse(f"{field}[{number}]", "span_outside", length=length)
            return
        if place[0] < end:
            values.refuse(f"{field}[{number}]", "span_overlap")
            return
        end = place[1]


def _ends(span: object) -> tuple[int, int] | None:
    """Return (start, end) in characters, end exclusive; None when they are not two numbers."""
    if not isinstance(span, dict):
        return None
    start, end = span.get("start"), span.get("end")
    if type(start) is int and type(end) is int:
        return start, end
    return None
