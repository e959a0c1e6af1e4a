"""The shape of what a sheet or a marker sends: types and nothing else, checked by pydantic.

Strict: JSON `true`, `2.0` and `"2"` are not the number 2. Unknown keys are left out. What a number
or a word may be, and whether something is missing, depends on the study and is asked elsewhere.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from cbt_core.domain.submission import Circumstances
from cbt_core.errors import Invalid

MAX_TEXT: Final = 4000
"""Characters a comment, note or quote may have."""

MAX_FLAGS: Final = 20
MAX_SPANS: Final = 200

Json = Mapping[str, object]
Place = tuple[str | int, ...]
"""Where in the JSON something is wrong."""

Words = Annotated[str, StringConstraints(max_length=MAX_TEXT, pattern=r"^[^\x00]*$")]
Revision = Annotated[int, Field(ge=0)]
Value = int | Literal["cannot_rate"] | None
Scores = dict[str, Value] | None


class Request(BaseModel):
    """What a browser sent."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class OpenRequest(Request):
    """Open a task of a study, or (no task named) the next one."""

    study: str
    task: str | None = None
    rested: bool | None = None


class DraftRequest(Request):
    """Keep unsaved entries: made of which revision, and the how-manieth change they are."""

    task: str
    sequence: Annotated[int, Field(ge=0, lt=2**53)]
    base_revision: Revision
    entries: dict[str, Any]


class PressRequest(Request):
    """One press of save or skip: which task, based on which revision, under which token."""

    task: str
    token: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{32}$")]
    base_revision: Revision
    meta: dict[str, Any] | None = None


class SaveRequest(PressRequest):
    """A save; the entries are of the task's own kind."""

    entries: dict[str, Any]


class SkipReason(Request):
    """Why a task is skipped."""

    reason: str
    note: Words | None = None


class SkipRequest(PressRequest):
    """A skip with its reason."""

    skip: SkipReason


class SentFlag(Request):
    """A flag on the answer in a slot, perhaps on some of its words."""

    slot: str
    kind: str
    severity: str
    quote: Words | None = None
    start: int | None = None
    end: int | None = None


class RatingEntries(Request):
    """What is entered in a rating sheet."""

    scores: dict[str, Scores] | None = None
    task_scores: Scores = None
    steps: dict[str, dict[str, int | None] | None] | None = None
    preference: str | None = None
    flags: Annotated[list[SentFlag], Field(max_length=MAX_FLAGS)] | None = None
    comment: Words | None = None
    confidence: int | None = None
    reason: Words | None = None


class SentSpan(Request):
    """Marked words of a field."""

    field: str
    start: int
    end: int
    label: str


class SentAnswer(Request):
    """What was made of a proposal."""

    answer: str
    label: str | None = None
    field: str | None = None
    start: int | None = None
    end: int | None = None


class LabelEntries(Request):
    """What is entered in a span marker."""

    labels: list[str] | None = None
    spans: Annotated[list[SentSpan], Field(max_length=MAX_SPANS)] | None = None
    verdict: str | None = None
    certainty: int | None = None
    note: Words | None = None
    reason: Words | None = None
    answers: dict[str, SentAnswer] | None = None


Shape = TypeVar("Shape", bound=Request)


def read(
    shape: type[Shape], sent: object, refusal: Callable[[Place], Invalid | None] = lambda _: None
) -> Shape:
    """Return what was sent, if it has the shape; `refusal` words what is wrong at a place.

    Raises:
        Invalid: something is of another type, missing, or too long.
    """
    try:
        return shape.model_validate(sent)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] in {"string_too_long", "too_long"}:
        raise refusal((*first["loc"], "too_long")) or Invalid("rating.too_long")
    raise refusal(first["loc"]) or Invalid("rating.malformed")


def circumstances(sent: Json | None) -> Circumstances:
    """Return how the entries were made; unknown values are left out, never trusted."""
    meta = sent or {}
    width = meta.get("width")
    return Circumstances(
        layout=_known(meta, "layout", {"side-by-side", "stacked"}),
        input=_known(meta, "input", {"keyboard", "pointer", "touch", "mixed"}),
        lang=_known(meta, "lang", {"zh", "en"}),
        active_seconds=_seconds(meta.get("active_seconds")),
        width=width if type(width) is int and 0 < width < 100_000 else None,
    )


def _known(sent: Json, name: str, values: set[str]) -> str:
    value = sent.get(name)
    return value if isinstance(value, str) and value in values else ""


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return round(min(max(float(value), 0.0), 86_400.0), 1) if value == value else 0.0
