"""Ready profiles of local models: how each is spoken to, tuned, licensed, and what is unknown.

A profile is data (`profiles/*.toml`). What could not be verified is left empty and said in its
note, never guessed: a commit hash above all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import EMPTY, Text
from cbt_core.errors import StudyError
from cbt_core.generation.backend.exchange import Message
from cbt_core.instruments.toml_reader import Table, parse_toml, read_text

FOLDER: Final = Path(__file__).parent / "profiles"
CHAT, PLAIN = "chat", "plain"
LARGEST_SIDE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Template:
    """How messages become one text.

    `chat`: the tokenizer's own chat template, with `options` handed to it. `plain`: each turn by
    its pattern, `reply` at the end. A reply is cut at the first of `stop`.
    """

    kind: str = CHAT
    system: str = "{content}\n"
    user: str = "Human: {content}\n"
    assistant: str = "Assistant: {content}\n"
    reply: str = "Assistant: "
    stop: tuple[str, ...] = ()
    options: Mapping[str, bool] = field(default_factory=dict)

    def plain(self, messages: Sequence[Message]) -> str:
        """Return the prompt as text. A prompt that already ends in `reply` is left as it is."""
        ready = self.reply.strip()
        if ready and messages and messages[-1].content.rstrip().endswith(ready):
            return "".join(one.content for one in messages)
        patterns = {"system": self.system, "user": self.user, "assistant": self.assistant}
        turns = (patterns[one.role].format(content=one.content) for one in messages)
        return "".join(turns) + self.reply


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes a memory estimate needs, as the model's config.json names them."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    vocabulary: int
    tied: bool = False
    head_size: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a model before it is loaded.

    `model` is a hub id, or a data package's file for `tiny`; empty when the paper does not say
    which. `sure` tells that the id was seen on the hub's own pages. `run_here` tells whether this
    program was run with these weights; the 7B ones were not, for want of weights.
    """

    id: str
    name: str
    model: str
    sure: bool
    revision: str
    remote_code: bool
    licence: str
    target_modules: tuple[str, ...]
    template: Template
    shape: Shape | None = None
    run_here: bool = False
    note: Text = EMPTY


def names() -> tuple[str, ...]:
    """Return the ids of all profiles."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))


@cache
def profile(name: str) -> Profile:
    """Return a profile by its id.

    Raises:
        StudyError: there is none of this name.
    """
    if name not in names():
        raise StudyError("local_model.no_profile", name=name, known=", ".join(names()))
    file = FOLDER / f"{name}.toml"
    return _profile(name, parse_toml(read_text(file), file.name))


def matching(model: str) -> Profile | None:
    """Return the profile of this id or hub id, if there is one."""
    for name in names():
        if model in {name, profile(name).model}:
            return profile(name)
    return None


def _profile(name: str, table: Table) -> Profile:
    table.only("name", "model", "sure", "revision", "remote_code", "licence", "target_modules",
               "template", "shape", "run_here", "note")
    return Profile(
        id=name,
        name=table.text("name"),
        model=table.text("model", ""),
        sure=table.yes_no("sure", False),
        revision=table.text("revision", ""),
        remote_code=table.yes_no("remote_code", False),
        licence=table.text("licence"),
        target_modules=table.strings("target_modules"),
        template=_template(table.child("template")),
        shape=_shape(table.child("shape")) if table.has("shape") else None,
        run_here=table.yes_no("run_here", False),
        note=table.words("note", EMPTY),
    )


def _template(table: Table) -> Template:
    """Read a template; its patterns keep their outer white space, which is part of them."""
    table.only("kind", "system", "user", "assistant", "reply", "stop", "options")
    known = Template()
    options = table.child("options")
    return Template(
        kind=table.choice("kind", (CHAT, PLAIN), CHAT),
        system=_raw(table, "system", known.system),
        user=_raw(table, "user", known.user),
        assistant=_raw(table, "assistant", known.assistant),
        reply=_raw(table, "reply", known.reply),
        stop=tuple(str(one) for one in _list(table, "stop")),
        options={key: options.yes_no(key, False) for key in options.content},
    )


def _raw(table: Table, key: str, default: str) -> str:
    value = table.content.get(key, default)
    if not isinstance(value, str):
        raise table.refusal(key, "instruments.not_text")
    return value


def _list(table: Table, key: str) -> list[object]:
    value = table.content.get(key, [])
    if not isinstance(value, list):
        raise table.refusal(key, "instruments.not_texts")
    return value


def _shape(table: Table) -> Shape:
    table.only("layers", "hidden", "intermediate", "heads", "kv_heads", "vocabulary", "tied",
               "head_size")
    return Shape(
        layers=_side(table, "layers"),
        hidden=_side(table, "hidden"),
        intermediate=_side(table, "intermediate"),
        heads=_side(table, "heads"),
        kv_heads=_side(table, "kv_heads"),
        vocabulary=_side(table, "vocabulary"),
        tied=table.yes_no("tied", False),
        head_size=table.whole("head_size", 0, low=0, high=LARGEST_SIDE),
    )


def _side(table: Table, key: str) -> int:
    return table.whole(key, low=1, high=LARGEST_SIDE)
