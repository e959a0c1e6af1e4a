"""What is to be generated: the questions on one side, the system on the other."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.files.limits import SYSTEM_CHARACTERS
from cbt_core.generation.backend.exchange import Decoding
from cbt_core.generation.backend.hosts import LOOPBACK
from cbt_core.generation.tasks.prompts import shipped_prompts
from cbt_core.generation.tasks.questions import Questions
from cbt_core.instruments import shipped_schemes
from cbt_core.services.runs import wishes
from cbt_core.services.runs.wishes import (
    ADDRESS_CHARACTERS,
    LANGUAGES,
    LONGEST_REPLY,
    MODEL_CHARACTERS,
    Asked,
    local_adapters,
    local_models,
)
from cbt_core.services.studies.contents import listing
from pages.ui import session
from pages.ui.session import database, now
from pages.ui.uploads import KINDS
from pages.ui.words import t

BACKENDS: Final = ("transformers", "openai", "echo")


@dataclass(frozen=True, slots=True)
class Given:
    """Where the questions come from: an uploaded file, or a study of the person's own."""

    upload: UploadedFile | None
    slug: str
    limit: int | None

    @property
    def ready(self) -> bool:
        """Tell whether there is anything to ask."""
        return self.upload is not None or bool(self.slug)

    @property
    def mark(self) -> tuple[str, str, int | None]:
        """Return what tells these questions from others."""
        return (self.upload.file_id if self.upload else "", self.slug, self.limit)


def ask_questions(person: Person) -> Given:
    """Ask for the questions."""
    st.subheader(t("generate.questions"))
    slugs = {
        line.study.slug: line.study.title for line in listing(database(), person, now=now())
        if Role.LEAD in line.roles
    }
    ways = ("upload", "study") if slugs else ("upload",)
    way = "upload" if len(ways) == 1 else st.radio(
        t("generate.from"), ways, horizontal=True, key="gen-from", label_visibility="collapsed",
        format_func={one: t(f"generate.from_{one}") for one in ways}.__getitem__,
    )
    upload, slug = None, ""
    if way == "study":
        slug = str(st.selectbox(
            t("generate.study"), list(slugs), format_func=slugs.__getitem__, key="gen-study",
            label_visibility="collapsed",
        ))
    else:
        upload = st.file_uploader(t("generate.file"), type=list(KINDS), key="gen-upload")
    limit = st.number_input(
        t("generate.limit"), min_value=1, max_value=session.settings().browser_questions,
        value=None, step=1, key="gen-limit", placeholder=t("generate.limit_all"),
    )
    return Given(upload, slug, limit)


@contextmanager
def laid_out(given: Given, person: Person) -> Iterator[Questions]:
    """Yield the questions as a file; it is gone from the disk afterwards.

    Raises:
        StudyError: the study is not the person's.
    """
    with tempfile.TemporaryDirectory() as folder:
        if given.upload is not None:
            path = Path(folder) / f"questions{Path(given.upload.name).suffix.lower()}"
            path.write_bytes(given.upload.getbuffer())
            yield Questions(path, name=given.upload.name, limit=given.limit)
            return
        rows = wishes.study_questions(database(), person, slug=given.slug, now=now())
        path = Path(folder) / "questions.jsonl"
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text("".join(lines), "utf-8")
        yield Questions(path, name=f"{given.slug}.jsonl", limit=given.limit)


def ask_system() -> Asked | None:
    """Ask what is to answer, and how it is asked; None: nothing of the kind is there."""
    st.subheader(t("generate.system"))
    left, right = st.columns(2)
    name = left.text_input(
        t("generate.name"), max_chars=SYSTEM_CHARACTERS, key="gen-system",
        placeholder="cbt-model", help=t("generate.name_help"),
    )
    backend = right.selectbox(
        t("generate.backend"), BACKENDS, key="gen-backend",
        format_func={one: t(f"generate.backend_{one}") for one in BACKENDS}.__getitem__,
    )
    found = {"transformers": _local, "openai": _endpoint, "echo": _echo}[backend]()
    if found is None:
        return None
    prompt, words, scheme = _prompt()
    with st.expander(t("generate.decoding")):
        decoding = _decoding(local=backend == "transformers")
    return Asked(
        system=name.strip(), backend=backend, model=found.model, adapter=found.adapter,
        base_url=found.base_url, prompt=prompt, prompt_language=words, scheme=scheme,
        decoding=decoding, price_in=found.price_in, price_out=found.price_out,
        budget=found.budget,
    )


@dataclass(frozen=True, slots=True)
class _Model:
    """Which model answers, and at what price."""

    model: str = ""
    adapter: str = ""
    base_url: str = ""
    price_in: float | None = None
    price_out: float | None = None
    budget: float | None = None


def _echo() -> _Model:
    st.caption(t("generate.echo_about"))
    return _Model()


def _local() -> _Model | None:
    models, adapters = local_models(), local_adapters()
    if not models:
        st.info(t("generate.no_models"))
        return None
    left, right = st.columns(2)
    model = left.selectbox(t("generate.model"), models, key="gen-model")
    adapter = right.selectbox(
        t("generate.adapter"), ("", *adapters), key="gen-adapter",
        format_func={"": t("generate.adapter_none"), **{one: one for one in adapters}}.__getitem__,
    )
    return _Model(model, adapter)


def _endpoint() -> _Model | None:
    hosts = session.settings().allowed_hosts
    if not hosts:
        st.info(t("generate.no_hosts"))
        return None
    left, right = st.columns(2)
    address = left.text_input(
        t("generate.address"), value=_address(hosts[0]), max_chars=ADDRESS_CHARACTERS,
        key="gen-address", help=t("generate.address_help", hosts=", ".join(hosts)),
    )
    model = right.text_input(
        t("generate.model_name"), max_chars=MODEL_CHARACTERS, key="gen-model-name"
    )
    columns = st.columns(3)
    prices = [
        column.number_input(
            t(f"generate.{key}"), min_value=0.0, value=None, key=f"gen-{key}", placeholder="—",
            help=t("generate.price_help"),
        )
        for column, key in zip(columns, ("price_in", "price_out", "budget"), strict=True)
    ]
    st.caption(t("generate.key_about"))
    return _Model(model.strip(), "", address.strip(), prices[0], prices[1], prices[2] or None)


def _address(entry: str) -> str:
    """Return the usual address of a host on the server's list."""
    if "://" in entry:
        return f"{entry.rstrip('/')}/v1"
    name = entry.rpartition(":")[0] or entry
    return f"{'http' if name in LOOPBACK else 'https'}://{entry}/v1"


def _prompt() -> tuple[str, str, str]:
    """Ask for prompt, its language and the scheme; show its text on demand."""
    first, second, third = st.columns(3)
    prompt = first.selectbox(
        t("generate.prompt"), shipped_prompts(), key="gen-prompt",
        format_func={
            one: t(f"generate.prompt_{one.replace('-', '_')}") for one in shipped_prompts()
        }.__getitem__,
    )
    words = second.selectbox(
        t("generate.prompt_language"), LANGUAGES, key="gen-prompt-language",
        format_func={one: t(f"generate.language_{one}") for one in LANGUAGES}.__getitem__,
    )
    scheme = third.selectbox(
        t("generate.scheme"), shipped_schemes(), key="gen-scheme", disabled=prompt != "cbt"
    )
    with st.expander(t("generate.prompt_text")):
        asked = Asked("", "echo", prompt=prompt, prompt_language=words, scheme=scheme)
        st.text(wishes.prompt_text(asked))
    return prompt, words, scheme


def _decoding(*, local: bool) -> Decoding:
    """Ask how replies are drawn."""
    usual = Decoding(max_new_tokens=1536)
    columns = st.columns(3)
    tokens = columns[0].number_input(
        t("generate.max_new_tokens"), 1, LONGEST_REPLY, usual.max_new_tokens, key="gen-tokens"
    )
    temperature = columns[1].number_input(
        t("generate.temperature"), 0.0, 2.0, usual.temperature, 0.1, key="gen-temperature",
        help=t("generate.temperature_help"),
    )
    top_p = columns[2].number_input(
        t("generate.top_p"), 0.05, 1.0, usual.top_p, 0.05, key="gen-top-p"
    )
    seed = columns[0].number_input(t("generate.seed"), 0, 2**31 - 1, usual.seed, key="gen-seed")
    penalty = columns[1].number_input(
        t("generate.penalty"), 1.0, 2.0, usual.repetition_penalty, 0.05, key="gen-penalty",
        disabled=not local,
    )
    return Decoding(int(tokens), float(temperature), float(top_p), float(penalty), int(seed))
