"""JSON as models write it: in fences, with prose around, trailing commas, full-width marks."""

import json
import re
from typing import Final

TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|“(?:[^”\\]|\\.)*”|＂(?:[^＂\\]|\\.)*＂|[{}\[\]｛｝［］【】,，、:：]|[^"“＂{}\[\]｛｝［］【】,，、:：]+|.',
    re.DOTALL,
)
PLAIN: Final = {
    "｛": "{", "｝": "}", "［": "[", "］": "]", "【": "[", "】": "]", "，": ",", "、": ",",
    "：": ":",
}
OPENING: Final = frozenset("{[｛［【")
CLOSING: Final = frozenset("}]｝］】")
LONGEST: Final = 200_000
"""Characters; a reply beyond this is not one object of ours."""


class NotJson(ValueError):  # noqa: N818 - a finding about a reply, not a fault of ours
    """There is no object to be read; `args[0]` says why, without the reply's words."""


def loose_object(text: str) -> dict[str, object]:
    """Return the first JSON object of a text.

    Raises:
        NotJson: there is none, it is cut off, or none can be read.
    """
    if len(text) > LONGEST:
        raise NotJson("too long")
    found = _read(text)
    start = _next_brace(text, 0)
    if found is None and start < 0:
        raise NotJson("no JSON object")
    while found is None and start >= 0:
        candidate, end = mended(text, start)
        found = _read(candidate)
        start = _next_brace(text, end)
    if found is None:
        raise NotJson("not readable as JSON")
    return found


def mended(text: str, start: int = 0) -> tuple[str, int]:
    """Return the object that begins at `start` in plain JSON, and where it ends.

    Raises:
        NotJson: it does not end.
    """
    kept: list[str] = []
    depth = 0
    for match in TOKEN.finditer(text, start):
        token = match[0]
        _take(token, kept)
        depth += (token in OPENING) - (token in CLOSING)
        if depth == 0:
            return "".join(kept), match.end()
    raise NotJson("cut off before its end")


def _next_brace(text: str, after: int) -> int:
    found = (text.find(brace, after) for brace in "{｛")
    return min((at for at in found if at >= 0), default=-1)


def _take(token: str, kept: list[str]) -> None:
    """Keep a token in plain JSON; a comma before a closing mark is dropped."""
    if len(token) > 1 and token[0] in '“＂':
        token = json.dumps(_unquoted(token), ensure_ascii=False)
    if token in CLOSING:
        while kept and (kept[-1] == "," or kept[-1].isspace()):
            kept.pop()
    kept.append(PLAIN.get(token, token))


def _unquoted(token: str) -> str:
    return token[1:-1].replace('\\"', '"').replace("\\n", "\n")


def _read(text: str) -> dict[str, object] | None:
    try:
        found = json.loads(text, strict=False)  # line ends inside a text are no reason to refuse
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
