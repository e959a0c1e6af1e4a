"""Prompts whose reply has a form of its own: detection, judging; loaded with their lists put in."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cbt_core.generation.backend import Message
from cbt_core.generation.prompts import FOLDER
from cbt_core.instruments.reading import parse_toml, read_text

KEYS: Final = ("id", "version", "language", "system", "user", "nothing")
TEXTS: Final = re.compile(r"\{(question|description|answer)\}")
"""What is filled in for each request. All in one pass: braces in a text are text, never a place."""

MARKS: Final = re.compile(r"<(/?(?:text|question|answer))>", re.IGNORECASE)
"""Our own marks around material: written in a text they must not end it."""

Schema = Mapping[str, object]


@dataclass(frozen=True)
class Form:
    """A task that is put to a model: the instruction, the places for texts, the reply's schema.

    `nothing` stands where there is no description.
    """

    id: str
    version: int
    language: str
    system: str
    user: str
    nothing: str
    schema: Schema

    @property
    def name(self) -> str:
        """Return the short name, e.g. ``judge@1.zh``."""
        return f"{self.id}@{self.version}.{self.language}"

    @cached_property
    def hash(self) -> str:
        """Return the SHA-256 (64 hexadecimal digits) of all that is sent but the texts."""
        content = [self.name, self.system, self.user, self.nothing, self.schema]
        canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()

    @cached_property
    def _instruction(self) -> Message:
        """Return the one message all requests of a run share: it is most of a request."""
        return Message("system", self.system)

    def messages(
        self, question: str, description: str = "", answer: str = ""
    ) -> tuple[Message, ...]:
        """Return the messages for one text."""
        texts = {
            "question": question, "description": description.strip() or self.nothing,
            "answer": answer,
        }
        asked = TEXTS.sub(lambda match: MARKS.sub(r"‹\1›", texts[match[1]]), self.user)
        return (self._instruction, Message("user", asked))


def load_form(name: str, language: str, *, lists: Mapping[str, str], schema: Schema) -> Form:
    """Return a shipped form (`detect`, `judge`, `steps`) with these lists in its instruction.

    `lists` maps the places of the instruction (``{labels}``, ``{scales}`` …) to their text.
    """
    language = "zh" if language == "zh" else "en"
    file = FOLDER / f"{name}.{language}.toml"
    table = parse_toml(read_text(file), file.name)
    table.only(*KEYS)
    places = re.compile("|".join(re.escape(f"{{{one}}}") for one in lists))
    system = str(table.content["system"]).strip("\n")
    return Form(
        id=str(table.content["id"]), version=table.whole("version", 1, low=1, high=9999),
        language=language,
        system=places.sub(lambda match: lists[match[0][1:-1]], system),
        user=str(table.content["user"]).strip("\n"), nothing=str(table.content["nothing"]),
        schema=schema,
    )
