"""Distortions found by a model: the task, its prompt, the reply, where its evidence stands.

Offsets are Python string offsets within one field of the item, end exclusive.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cbt_core.canonical import digest_of
from cbt_core.domain.instrument import Label, Scheme
from cbt_core.domain.study import Problem
from cbt_core.generation.backend.catalogue import Options
from cbt_core.generation.backend.exchange import REPLY, Decoding, Failure, Reply, Request
from cbt_core.generation.run.journal import Row
from cbt_core.generation.tasks.prompts import Form, Schema, load_form
from cbt_core.generation.tasks.questions import Question, Questions
from cbt_core.generation.tasks.reply_reader import (
    THOUGHTS,
    Evidence,
    Fault,
    NotJson,
    loose_object,
    parse_reply,
)
from cbt_core.generation.tasks.task import Origin, form_config, provenance

FIELDS: Final = ("question", "description")
SHORTEST: Final = 2
"""Characters a quote must have to be looked for loosely: one alone stands anywhere."""

EDGES: Final = "\"'“”‘’「」『』《》（）()…。．.，,、；;：:！!？?-—"
"""Marks that models put around a quote, or leave off its end."""

JOINED: Final = frozenset("\u200d\ufe0e\ufe0f\u20e3")


@dataclass(frozen=True, slots=True)
class Found:
    """A label seen in a text: with the words' place where they were found, else without a field."""

    label: str
    quote: str = ""
    field: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Detected:
    """What a reply says: `labels` are ids of the scheme, each once; none is an answer too.

    `unknown` are names the scheme does not hold, as written.
    """

    labels: tuple[str, ...]
    found: tuple[Found, ...]
    unknown: tuple[str, ...]

    @property
    def unplaced(self) -> int:
        """Return how many quotes do not stand in the text."""
        return sum(1 for one in self.found if one.quote and not one.field)


def detection_form(scheme: Scheme, language: str) -> Form:
    """Return the prompt that asks for a scheme's labels, with definitions and near-misses."""
    listed = "\n".join(_listed(label, language) for label in scheme.labels)
    return load_form("detect", language, lists={"labels": listed}, schema=_schema())


def read_detection(text: str, scheme: Scheme, texts: Mapping[str, str]) -> Detected | Fault:
    """Return the labels of a reply, or why it is of no use; `texts` are the fields of the item."""
    reply = THOUGHTS.sub("", text.lstrip("\ufeff")).strip()
    if not reply:
        return Fault("empty", "no text")
    try:
        fields = loose_object(reply)
    except NotJson as error:
        return Fault("not_json", str(error))
    if "distortions" not in fields:
        return Fault("wrong_schema", "distortions is missing")
    # The parser of answers knows every way models write labels; it wants an answer beside them.
    labels = json.dumps({"answer": "-", "distortions": _single(fields["distortions"])})
    parsed = parse_reply(labels, "json", scheme)
    if isinstance(parsed, Fault):
        return parsed
    evidence = _placed(parsed.distortions, parsed.evidence, texts)
    return Detected(parsed.distortions, evidence, parsed.unknown)


def locate(quote: str, texts: Mapping[str, str]) -> tuple[str, int, int] | None:
    """Return (field, start, end) of the first place where a quote stands; None if nowhere.

    First letter by letter; then without regard to width, case, spaces, composed or decomposed
    letters, and marks around the quote.
    """
    for field in FIELDS:
        at = texts.get(field, "").find(quote) if quote else -1
        if at >= 0:
            return field, at, _whole(texts[field], at + len(quote))
    sought, _ = _plain(quote.strip().strip(EDGES))
    if len(sought) < SHORTEST:
        return None
    for field in FIELDS:
        plain, places = _plain(texts.get(field, ""))
        at = plain.find(sought)
        if at >= 0:
            end = places[at + len(sought) - 1] + 1
            return field, places[at], _whole(texts[field], end)
    return None


def _placed(
    labels: Sequence[str], evidence: Sequence[Evidence], texts: Mapping[str, str]
) -> tuple[Found, ...]:
    pieces: dict[tuple[str, str, int | None, int | None, str], Found] = {}
    for piece in evidence:
        place = locate(piece.quote, texts)
        seen = Found(piece.label, piece.quote, *place) if place else Found(piece.label, piece.quote)
        same = "" if place else piece.quote
        pieces.setdefault((seen.label, seen.field, seen.start, seen.end, same), seen)
    shown = {one.label for one in pieces.values()}
    return (*pieces.values(), *(Found(label) for label in labels if label not in shown))


def _single(value: object) -> object:
    """Return entries with one quote each: a list of quotes under one name becomes several."""
    if not isinstance(value, list):
        return value
    entries: list[object] = []
    for entry in value:
        quotes = entry.get("evidence") if isinstance(entry, dict) else None
        if isinstance(quotes, list) and quotes:
            entries += [{**entry, "evidence": quote} for quote in quotes]
        else:
            entries.append(entry)
    return entries


def _plain(text: str) -> tuple[str, list[int]]:
    """Return a text in the form it is compared in, and where each of its characters comes from."""
    kept: list[str] = []
    places: list[int] = []
    for at, letter in enumerate(text):
        for character in unicodedata.normalize("NFKD", letter).casefold():
            if not character.isspace() and character not in JOINED:
                kept.append(character)
                places.append(at)
    return "".join(kept), places


def _whole(text: str, end: int) -> int:
    """Return an end that does not part a letter from the marks that belong to it."""
    while end < len(text) and (unicodedata.combining(text[end]) or text[end] in JOINED):
        end += 1
    return end


def _listed(label: Label, language: str) -> str:
    mark, not_so = ("：", "易混：") if language == "zh" else (": ", "Not to be confused: ")
    near = f"\n  {not_so}{label.near_miss(language)}" if label.near_miss(language) else ""
    return f"- {label.name(language)}{mark}{label.definition(language)}{near}"


def _schema() -> Schema:
    """Return the schema of a reply: the part of `exchange.REPLY` that names distortions.

    Names of labels are not listed: a name outside the scheme is to be seen, not suppressed.
    """
    properties = REPLY["properties"]
    part = properties["distortions"] if isinstance(properties, Mapping) else {}
    return {
        "type": "object", "properties": {"distortions": part}, "required": ["distortions"],
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class TextRequest(Request):
    """A request that knows the text its reply is about: evidence is looked for there."""

    question: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Detection:
    """Texts to be searched for a scheme's labels; `about` is what decides the rows besides.

    `slug` is the study that takes the labels, '' for a file; `left_out` counts its items whose
    machine round somebody has seen.
    """

    form: Form
    scheme: Scheme
    texts: Iterable[Question]
    total: int
    sources: Mapping[str, int]
    about: Mapping[str, object]
    warnings: tuple[Problem, ...] = ()
    slug: str = ""
    left_out: int = 0

    @property
    def echo_labels(self) -> Sequence[str]:
        """Return the scheme's labels as the form calls them."""
        return [label.name(self.form.language) for label in self.scheme.labels]

    def config(self, options: Options, host: str) -> Mapping[str, object]:
        """Return all that decides what rows are like."""
        return form_config(self.form, self.about, options, host)

    def requests(self, decoding: Decoding) -> Iterator[Request]:
        """Yield a request for each text."""
        for item in self.texts:
            messages = self.form.messages(item.question, item.description)
            yield TextRequest(
                item.key, messages, decoding, self.form.schema, item.question, item.description
            )

    def row(self, request: Request, reply: Reply, origin: Origin) -> Row | Failure:
        """Return the row of a reply, or why it is of no use."""
        if not isinstance(request, TextRequest):
            raise TypeError(type(request).__name__)
        texts = dict(zip(FIELDS, (request.question, request.description), strict=True))
        detection = read_detection(reply.text, self.scheme, texts)
        if isinstance(detection, Fault):
            return Failure(request.key, detection.cause, detection.detail, reply.text)
        return {
            "id": request.key, "distortions": list(detection.labels),
            "evidence": [_evidence(one) for one in detection.found],
            "unknown_distortions": list(detection.unknown), "unplaced": detection.unplaced,
            "scheme": self.scheme.signature, "text_digest": digest_of(*texts.values()),
            **provenance(self.form, reply, origin),
        }

    def figures(self, _out: Path) -> Mapping[str, object]:
        """Return nothing: `counts_of` tells what was found."""
        return {}


def detection_in(questions: Questions, *, scheme: Scheme, language: str) -> Detection:
    """Read and check a questions file for detection.

    Raises:
        ImportProblems: the questions cannot be read.
    """
    form, checked = detection_form(scheme, language), questions.check()
    about = {"scheme": scheme.signature, "questions": checked.digest}
    return Detection(
        form, scheme, questions, checked.count, checked.sources, about, checked.warnings
    )


def _evidence(piece: Found) -> dict[str, object]:
    return {
        "label": piece.label, "quote": piece.quote, "field": piece.field, "start": piece.start,
        "end": piece.end,
    }
