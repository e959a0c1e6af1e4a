"""Prompts as versioned files in Chinese and English, and own ones by path.

Some have a reply with a form of its own (detection, judging): they are loaded with their lists put
in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final, Literal

from cbt_core.canonical import digest
from cbt_core.domain.instrument import Scheme
from cbt_core.errors import StudyError
from cbt_core.generation.backend.exchange import REPLY, Message
from cbt_core.instruments.toml_reader import parse_toml, read_text

FOLDER: Final = Path(__file__).parent / "prompt_files"
SHIPPED: Final = ("cbt", "plain", "cbt-llm")
PROMPT_KEYS: Final = ("id", "version", "language", "reply", "system", "user", "nothing")
PROMPT_PLACE: Final = re.compile(r"\{(question|description|distortions)\}")
"""What is filled in. All in one pass: braces in a question are text, never a place."""

ReplyForm = Literal["json", "text"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """How a question is put to a model.

    `reply` says whether JSON of `schema.REPLY` is asked for or plain text. `system` may be empty;
    `user` holds ``{question}`` and may hold ``{description}`` (`nothing` where there is none);
    either may hold ``{distortions}``, the labels of the scheme with their definitions.
    """

    id: str
    version: int
    language: str
    reply: ReplyForm
    system: str
    user: str
    nothing: str = ""

    @property
    def schema(self) -> Mapping[str, object] | None:
        """Return the JSON schema of a reply, or None for plain text."""
        return REPLY if self.reply == "json" else None

    @property
    def needs_scheme(self) -> bool:
        """Tell whether the distortion list stands in the prompt."""
        return "{distortions}" in self.system + self.user

    def messages(
        self, question: str, description: str = "", scheme: Scheme | None = None
    ) -> tuple[Message, ...]:
        """Return the messages that put a question.

        Raises:
            StudyError: the prompt lists distortions and no scheme is given.
        """
        system, user = self._with_distortions(scheme)
        texts = {"question": question, "description": description.strip() or self.nothing}
        asked = PROMPT_PLACE.sub(lambda match: texts.get(match[1], match[0]), user)
        return (*((system,) if system.content else ()), Message("user", asked))

    def hash(self, scheme: Scheme | None = None) -> str:
        """Return the SHA-256 (64 hexadecimal digits) of all that is sent but the question."""
        system, user = self._with_distortions(scheme)
        content = {
            "id": self.id, "version": self.version, "reply": self.reply, "system": system.content,
            "user": user, "nothing": self.nothing, "schema": self.schema,
            "scheme": scheme.digest if scheme and self.needs_scheme else None,
        }
        return digest(content)

    def _with_distortions(self, scheme: Scheme | None) -> tuple[Message, str]:
        if not self.needs_scheme:
            return _system(self.system), self.user
        if scheme is None:
            raise StudyError("generation.no_scheme", prompt=self.id)
        listed = _listed(scheme, self.language)
        return (
            _system(self.system.replace("{distortions}", listed)),
            self.user.replace("{distortions}", listed),
        )


@cache
def _system(content: str) -> Message:
    """Return the one message object all requests of a run share: it is most of a request."""
    return Message("system", content)


def _listed(scheme: Scheme, language: str) -> str:
    mark = "：" if language == "zh" else ": "
    return "\n".join(
        f"- {label.name(language)}{mark}{label.definition(language)}" for label in scheme.labels
    )


def shipped_prompts() -> tuple[str, ...]:
    """Return the names of the prompts that come with Concord."""
    return SHIPPED


def load_prompt(name_or_path: str | Path, language: str = "zh") -> Prompt:
    """Return a shipped prompt by name, or an own one from a file.

    An own file is TOML with the keys of `Prompt`, or any other text: then it is the whole user
    message and needs ``{question}``. `cbt-llm` exists in Chinese only, as published.

    Raises:
        StudyError: neither a shipped name nor a file, or the file is not a prompt.
    """
    if str(name_or_path) in SHIPPED:
        return _shipped(str(name_or_path), language)
    path = Path(name_or_path)
    if not path.exists():
        known = ", ".join(SHIPPED)
        raise StudyError("generation.no_prompt", name=str(name_or_path), known=known)
    if path.suffix.lower() == ".toml":
        return _checked(_from_toml(read_text(path), str(path), path.stem, language), path)
    return _checked(Prompt(path.stem, 1, language, "text", "", read_text(path)), path)


@cache
def _shipped(name: str, language: str) -> Prompt:
    file = FOLDER / f"{name}.{language}.toml"
    if not file.exists():
        file = FOLDER / f"{name}.zh.toml"
    return _from_toml(read_text(file), file.name, name, language)


def _from_toml(text: str, file: str, stem: str, language: str) -> Prompt:
    """Read a prompt; texts keep their inner white space, their outer line ends are layout."""
    table = parse_toml(text, file)
    table.only(*PROMPT_KEYS)
    content = table.content
    reply = str(content.get("reply", "text"))
    if reply not in {"json", "text"}:
        raise StudyError("generation.prompt_reply", file=file)
    version = content.get("version", 1)
    return Prompt(
        id=str(content.get("id", stem)),
        version=version if isinstance(version, int) else 1,
        language=str(content.get("language", language)),
        reply="json" if reply == "json" else "text",
        system=str(content.get("system", "")).strip("\n"),
        user=str(content.get("user", "")).strip("\n"),
        nothing=str(content.get("nothing", "")),
    )


def _checked(prompt: Prompt, path: Path) -> Prompt:
    if "{question}" not in prompt.user:
        raise StudyError("generation.prompt_question", file=path)
    return prompt


FORM_KEYS: Final = ("id", "version", "language", "system", "user", "nothing")
FORM_PLACE: Final = re.compile(r"\{(question|description|answer)\}")
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
        return digest(content)

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
        asked = FORM_PLACE.sub(lambda match: MARKS.sub(r"‹\1›", texts[match[1]]), self.user)
        return (self._instruction, Message("user", asked))


def load_form(name: str, language: str, *, lists: Mapping[str, str], schema: Schema) -> Form:
    """Return a shipped form (`detect`, `judge`, `steps`) with these lists in its instruction.

    `lists` maps the places of the instruction (``{labels}``, ``{scales}`` …) to their text.
    """
    language = "zh" if language == "zh" else "en"
    file = FOLDER / f"{name}.{language}.toml"
    table = parse_toml(read_text(file), file.name)
    table.only(*FORM_KEYS)
    places = re.compile("|".join(re.escape(f"{{{one}}}") for one in lists))
    system = str(table.content["system"]).strip("\n")
    return Form(
        id=str(table.content["id"]), version=table.whole("version", 1, low=1, high=9999),
        language=language,
        system=places.sub(lambda match: lists[match[0][1:-1]], system),
        user=str(table.content["user"]).strip("\n"), nothing=str(table.content["nothing"]),
        schema=schema,
    )
