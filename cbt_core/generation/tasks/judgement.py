"""A model as judge: the raters' instrument as a prompt, and replies held to its values.

A judge sees one answer at a time and never whose it is: no function here takes a system's name;
only the rows of files are named again, after the reply.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from cbt_core.canonical import digest_of
from cbt_core.domain.instrument import Example, Instrument, Scale
from cbt_core.domain.study import Problem
from cbt_core.errors import Refused, StudyError
from cbt_core.files.study import AnswerRow, read_answers
from cbt_core.generation.backend.catalogue import Options
from cbt_core.generation.backend.exchange import Decoding, Failure, Reply, Request
from cbt_core.generation.run.journal import Row
from cbt_core.generation.tasks.prompts import Form, Schema, load_form
from cbt_core.generation.tasks.questions import Question, Questions
from cbt_core.generation.tasks.reply_reader import THOUGHTS, Fault, NotJson, loose_object
from cbt_core.generation.tasks.task import Origin, form_config, provenance

PRESENCE: Final = ("absent", "partial", "present")
"""Words for the step values 0, 1, 2."""

REASON_CHARACTERS: Final = 2000
SHORTEST_TEXT: Final = 10
"""Characters without spaces: what is shorter stands in other texts by chance."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's score on one scale; None: it says it cannot rate it. `reason` is its words."""

    scale: str
    value: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """What a judge says of one step: one of `PRESENCE`, and why."""

    step: str
    presence: str
    reason: str


def judged_scales(instrument: Instrument) -> tuple[Scale, ...]:
    """Return the scales a judge is asked: those that concern a single answer."""
    return tuple(scale for scale in instrument.scales if scale.level == "answer")


def judge_form(
    instrument: Instrument, language: str, *, examples: Sequence[Example] = ()
) -> Form:
    """Return the prompt that asks for every scale of single answers, in the raters' words."""
    scales = judged_scales(instrument)
    wording = "\n\n".join(_scale(one, language) for one in scales)
    lists = {
        "scales": wording, "examples": _examples(instrument, examples, language),
        "form": _shape((one.id for one in scales), "value", '""', "0"),
    }
    schema = _each({one.id: ("value", _values(one)) for one in scales})
    return load_form("judge", language, lists=lists, schema=schema)


def steps_form(instrument: Instrument, language: str) -> Form:
    """Return the prompt that asks which steps of the checklist an answer shows."""
    mark = "：" if language == "zh" else ": "
    steps = "\n".join(
        f"{one.id}. {one.name(language)}{mark}{one.definition(language)}"
        for one in instrument.steps
    )
    values = "\n".join(
        f"- {PRESENCE[one.value]}{mark}{one.anchor(language)}" for one in instrument.step_values
    )
    keys = [one.id for one in instrument.steps]
    schema = _each({
        key: ("presence", {"type": "string", "enum": list(PRESENCE)}) for key in keys
    })
    lists = {
        "steps": steps, "values": values, "form": _shape(keys, "presence", '""', '"present"'),
    }
    return load_form("steps", language, lists=lists, schema=schema)


def read_verdicts(text: str, instrument: Instrument) -> tuple[Verdict, ...] | Fault:
    """Return a score for every scale, or why the reply is of no use.

    A value that is not the scale's, or a missing scale, makes the whole reply of no use: half a
    judgement is asked for again.
    """
    entries = _object(text)
    if isinstance(entries, Fault):
        return entries
    verdicts: list[Verdict] = []
    for scale in judged_scales(instrument):
        value, reason = _entry(entries.get(scale.id), "value")
        number = _number(value)
        if value is None and scale.cannot_rate and scale.id in entries:
            verdicts.append(Verdict(scale.id, None, reason))
        elif number is not None and scale.allows(number):
            verdicts.append(Verdict(scale.id, number, reason))
        else:
            what = "is missing" if scale.id not in entries else "is out of range"
            return Fault("wrong_schema", f"{scale.id} {what}")
    return tuple(verdicts)


def read_steps(text: str, instrument: Instrument) -> tuple[StepVerdict, ...] | Fault:
    """Return presence for every step, or why the reply is of no use."""
    entries = _object(text)
    if isinstance(entries, Fault):
        return entries
    verdicts: list[StepVerdict] = []
    for step in instrument.steps:
        value, reason = _entry(entries.get(step.id), "presence")
        word = value.strip().lower() if isinstance(value, str) else ""
        if word not in PRESENCE:
            what = "is missing" if step.id not in entries else "is none of the words"
            return Fault("wrong_schema", f"step {step.id} {what}")
        verdicts.append(StepVerdict(step.id, word, reason))
    return tuple(verdicts)


def shots_among(examples: Iterable[Example], texts: Iterable[str]) -> int:
    """Return how many worked examples quote one of these texts, or are quoted in one.

    A judge that was shown a study's item as an example is no judge of it.
    """
    folded = [text for text in map(_folded, texts) if len(text) >= SHORTEST_TEXT]
    return sum(1 for one in examples if _overlaps(_words_of(one), folded))


def _words_of(example: Example) -> list[str]:
    both = (example.question.zh, example.question.en, example.answer.zh, example.answer.en)
    return [one for one in map(_folded, both) if len(one) >= SHORTEST_TEXT]


def _overlaps(shown: Sequence[str], texts: Sequence[str]) -> bool:
    return any(one in text or text in one for one in shown for text in texts)


def _object(text: str) -> Mapping[str, object] | Fault:
    reply = THOUGHTS.sub("", text.lstrip("\ufeff")).strip()
    if not reply:
        return Fault("empty", "no text")
    try:
        return loose_object(reply)
    except NotJson as error:
        return Fault("not_json", str(error))


def _entry(entry: object, key: str) -> tuple[object, str]:
    """Return value and reason; a bare value is taken as one without a reason."""
    if not isinstance(entry, dict):
        return entry, ""
    reason = entry.get("reason")
    words = reason.strip()[:REASON_CHARACTERS] if isinstance(reason, str) else ""
    missing: object = "" if key not in entry else None
    return entry.get(key, missing), words


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().lstrip("-").isascii():
        try:
            return int(value)
        except ValueError:
            return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def _scale(scale: Scale, language: str) -> str:
    mark = "：" if language == "zh" else ": "
    lines = [f"[{scale.id}] {scale.name(language)}{mark}{scale.question(language)}"]
    lines += [
        f"  {one.value} = {one.label(language)}{mark}{one.anchor(language)}"
        for one in scale.values
    ]
    if scale.cannot_rate:
        lines.append("  可以无法判断：null" if language == "zh" else "  may be left unrated: null")
    return "\n".join(lines)


def _examples(instrument: Instrument, examples: Sequence[Example], language: str) -> str:
    """Return the worked examples the raters' guide holds, as a paragraph of the prompt."""
    if not examples:
        return ""
    zh = language == "zh"
    heads = ("问题", "回答", "分值", "理由") if zh else ("Question", "Answer", "Value", "Reason")
    mark = "：" if zh else ": "
    lines = ["", "评定者指南中的例子：" if zh else "Examples from the raters' guide:"]
    for one in examples:
        name = instrument.scale(one.scale).name(language)
        parts = (one.question(language), one.answer(language), str(one.value), one.reason(language))
        lines.append(f"[{one.scale}] {name}")
        lines += [f"  {head}{mark}{part}" for head, part in zip(heads, parts, strict=True)]
    return "\n".join([*lines, ""])


def _values(scale: Scale) -> Schema:
    numbers: list[int | None] = [one.value for one in scale.values]
    if scale.cannot_rate:
        return {"type": ["integer", "null"], "enum": [*numbers, None]}
    return {"type": "integer", "enum": numbers}


def _each(parts: Mapping[str, tuple[str, Schema]]) -> Schema:
    """Return a schema with a reason and a value for every key, all required, reason first."""
    return _strict({
        key: _strict({"reason": {"type": "string"}, name: schema})
        for key, (name, schema) in parts.items()
    })


def _strict(properties: Mapping[str, object]) -> Schema:
    return {
        "type": "object", "properties": dict(properties), "required": list(properties),
        "additionalProperties": False,
    }


def _shape(keys: Iterable[str], name: str, reason: str, value: str) -> str:
    entries = ", ".join(f'"{key}": {{"reason": {reason}, "{name}": {value}}}' for key in keys)
    return f"{{{entries}}}"


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


NAME_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer as it is put to the judge; `key` tells nothing of whose it is."""

    key: str
    question: str
    description: str
    answer: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Answers to be put to a judge, one at a time, in this order; `slug` is '' for files.

    `names` gives item and system of each key, for the rows of files only: a study's rows have none.
    `about` is what decides the rows besides the model and the form.
    """

    form: Form
    judge: str
    instrument: Instrument
    rows: Sequence[Judged]
    sources: Mapping[str, int]
    about: Mapping[str, object]
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    slug: str = ""

    echo_labels: ClassVar[None] = None

    @property
    def total(self) -> int:
        """Return how many answers there are."""
        return len(self.rows)

    def config(self, options: Options, host: str) -> Mapping[str, object]:
        """Return all that decides what rows are like."""
        return form_config(self.form, self.about, options, host)

    def requests(self, decoding: Decoding) -> Iterator[Request]:
        """Yield a request for each answer."""
        for row in self.rows:
            messages = self.form.messages(row.question, row.description, row.answer)
            yield Request(row.key, messages, decoding, self.form.schema)

    def row(self, request: Request, reply: Reply, origin: Origin) -> Row | Failure:
        """Return the row of a reply, or why it is of no use."""
        verdicts = _verdicts(reply.text, self.instrument, steps=self.form.id == "steps")
        if isinstance(verdicts, Fault):
            return Failure(request.key, verdicts.cause, verdicts.detail, reply.text)
        return {
            **self._head(request.key), **verdicts,
            "automatic": True, "judge": self.judge, "instrument": self.instrument.signature,
            "instrument_digest": self.instrument.digest,
            **provenance(self.form, reply, origin),
        }

    def figures(self, _out: Path) -> Mapping[str, object]:
        """Return nothing: a manifest tells no score."""
        return {}

    def _head(self, key: str) -> Row:
        if not self.names:
            return {"id": key}
        item, system = self.names[key]
        return {"id": item, "system": system}


def _verdicts(text: str, instrument: Instrument, *, steps: bool) -> Row | Fault:
    """Return what a reply says as a part of a row, or why it is of no use."""
    if steps:
        verdicts = read_steps(text, instrument)
        return verdicts if isinstance(verdicts, Fault) else {
            "steps": {one.step: one.presence for one in verdicts},
            "reasons": {one.step: one.reason for one in verdicts},
        }
    given = read_verdicts(text, instrument)
    return given if isinstance(given, Fault) else {
        "scores": {one.scale: one.value for one in given},
        "reasons": {one.scale: one.reason for one in given},
    }


def judgement_of(
    answers: Path, questions: Questions, *, judge: str, instrument: Instrument,
    language: str = "zh", steps: bool = False, examples: bool = False,
) -> Judgement:
    """Read and check answers and their questions; `steps` instead of the scales.

    `examples` puts the instrument's worked examples into the prompt.

    Raises:
        ImportProblems: a file cannot be read.
        StudyError: the judge's name is none, an answer has no question, an example is one of the
            texts.
    """
    require_name(judge)
    read, checked = read_answers(answers), questions.check()
    shots = instrument.examples if examples else ()
    form = form_of(instrument, language, steps=steps, examples=shots)
    asked = _asked(questions, read.rows, answers)
    refuse_shots(
        shots, [text for row in read.rows for text in (asked[row.key].question, row.answer.text)]
    )
    rows = [_judged(number, asked[row.key], row) for number, row in enumerate(read.rows)]
    about = {
        "judge": judge, "instrument": instrument.signature,
        "texts": digest_of([(one.key, one.question, one.description, one.answer) for one in rows]),
    }
    return Judgement(
        form, judge, instrument, rows, Counter(asked[row.key].source for row in read.rows), about,
        {one.key: (row.key, row.system) for one, row in zip(rows, read.rows, strict=True)},
        (*checked.warnings, *read.warnings),
    )


def _asked(
    questions: Questions, rows: Sequence[AnswerRow], answers: Path
) -> Mapping[str, Question]:
    """Return the questions of the answers by id.

    Raises:
        StudyError: some are not in the questions file.
    """
    needed = {row.key for row in rows}
    items = {one.key: one for one in questions if one.key in needed}
    if len(items) < len(needed):
        raise StudyError("judgement.no_question", count=len(needed) - len(items), file=answers)
    return items


def _judged(number: int, question: Question, row: AnswerRow) -> Judged:
    """Return an answer under a key that does not name its system: keys may reach a host."""
    return Judged(f"a{number}", question.question, question.description, row.answer.text)


def require_name(name: str) -> None:
    """Refuse a judge's name that cannot stand in a table.

    Raises:
        StudyError: empty, too long, or with characters that do not print.
    """
    if not name or name != name.strip() or not name.isprintable() or len(name) > NAME_CHARACTERS:
        raise StudyError("judgement.bad_name", limit=NAME_CHARACTERS)


def form_of(
    instrument: Instrument, language: str, *, steps: bool, examples: Sequence[Example] = ()
) -> Form:
    """Return the prompt for an instrument's scales, or for its steps.

    Raises:
        StudyError: the instrument has none.
    """
    if steps and not instrument.steps:
        raise StudyError("judgement.no_steps", instrument=instrument.id)
    if not steps and not judged_scales(instrument):
        raise StudyError("judgement.no_scales", instrument=instrument.id)
    return steps_form(instrument, language) if steps else judge_form(
        instrument, language, examples=examples
    )


def refuse_shots(examples: Sequence[Example], texts: Iterable[str]) -> None:
    """Refuse worked examples made of the very texts that are to be judged.

    Raises:
        Refused: there are some.
    """
    count = shots_among(examples, texts) if examples else 0
    if count:
        raise Refused("judgement.shots", count=count)
