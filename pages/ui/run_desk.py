"""Generations in the browser: the form that asks for one, the list that watches them."""

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import StudyError
from cbt_core.files.problems import SYSTEM_CHARACTERS
from cbt_core.generation.backend.exchange import Decoding
from cbt_core.generation.backend.hosts import LOOPBACK
from cbt_core.generation.gates.recognition import Report
from cbt_core.generation.tasks.prompts import load_prompt, shipped_prompts
from cbt_core.generation.tasks.questions import Questions
from cbt_core.instruments import load_scheme, shipped_schemes
from cbt_core.services.runs import browser_run, outputs, wishes
from cbt_core.services.runs.browser_run import Watched
from cbt_core.services.runs.outputs import Cell, Line
from cbt_core.services.runs.wishes import (
    ADDRESS_CHARACTERS,
    LANGUAGES,
    LONGEST_REPLY,
    MODEL_CHARACTERS,
    Asked,
    local_adapters,
    local_models,
)
from cbt_core.services.studies import answer_gates
from cbt_core.services.studies.contents import listing
from cbt_core.services.studies.creation import Preview
from cbt_core.words import say
from pages.ui import lead, session
from pages.ui.session import database, now, signed_in
from pages.ui.uploads import KINDS
from pages.ui.widgets import literal, plain
from pages.ui.words import language, t

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
    engine = {"transformers": _local, "openai": _endpoint, "echo": _echo}[backend]()
    if engine is None:
        return None
    prompt, words, scheme = _prompt()
    with st.expander(t("generate.decoding")):
        decoding = _decoding(local=backend == "transformers")
    return Asked(
        system=name.strip(), backend=backend, model=engine.model, adapter=engine.adapter,
        base_url=engine.base_url, prompt=prompt, prompt_language=words, scheme=scheme,
        decoding=decoding, price_in=engine.price_in, price_out=engine.price_out,
        budget=engine.budget,
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


AT_ONCE: Final = 5
GATES_SHOWN: Final = 200
CHECKED: Final = "runs_checked"


def show_rows(person: Person, chosen: Sequence[Watched]) -> None:
    """Draw questions with the answers of one run or two, and the way to a study."""
    codes = [one.run.code for one in chosen]
    st.subheader(t("generate.rows"))
    st.caption(t("common.not_clinical"))
    try:
        _page(person, chosen, codes)
        if all(one.state == "finished" for one in chosen):
            _study(person, codes)
    except StudyError as error:
        lead.sorry(error)


def _page(person: Person, chosen: Sequence[Watched], codes: Sequence[str]) -> None:
    """Draw one page of rows."""
    total = chosen[0].run.total
    pages = max(1, -(-total // AT_ONCE))
    number = 1
    if pages > 1:
        left, _ = st.columns([1, 5])
        number = int(left.number_input(
            t("generate.page", pages=pages), 1, pages, 1, key=f"gen-page-{'-'.join(codes)}"
        ))
    page = outputs.page(
        database(), person, codes=codes, offset=(number - 1) * AT_ONCE, limit=AT_ONCE, now=now()
    )
    names = [_labels(one) for one in chosen]
    for place, line in enumerate(page.lines):
        _line(place, line, page.systems, names)


def _line(
    place: int, line: Line, systems: Sequence[str], names: Sequence[dict[str, str]]
) -> None:
    """Draw a question beside its answers."""
    with st.container(border=True, key=f"card-row-{place}"):
        columns = st.columns([2, *(3 for _ in systems)], gap="medium")
        with columns[0]:
            plain(f"{line.key} · {line.question}", look="strong", key=f"row-{place}")
            if line.description:
                plain(line.description, look="small", key=f"row-{place}")
        for slot, (column, cell) in enumerate(zip(columns[1:], line.cells, strict=True)):
            with column:
                plain(f"{systems[slot]} · {_about(cell, names[slot])}", look="small",
                      key=f"cell-{place}-{slot}")  # fmt: skip
                if cell.answer:
                    st.text(cell.answer)


def _about(cell: Cell, names: dict[str, str]) -> str:
    """Return what came with an answer, or why there is none."""
    if cell.cause:
        return t("generate.no_answer", cause=t(f"generate.cause_{cell.cause}"))
    if not cell.answer:
        return t("generate.not_yet")
    finish = t(f"generate.finish_{cell.finish or 'unknown'}")
    if not names:
        return finish
    labels = t("generate.between").join(names.get(one, one) for one in cell.distortions)
    return f"{labels or t('generate.no_labels')} · {finish}"


def _labels(job: Watched) -> dict[str, str]:
    """Return the names of the labels a run may give; none when its prompt asks for none."""
    asked = job.run.config["asked"]
    if load_prompt(asked["prompt"], asked["prompt_language"]).reply != "json":
        return {}
    scheme = load_scheme(asked["scheme"])
    return {label.id: label.name(language()) for label in scheme.labels}


def _study(person: Person, codes: Sequence[str]) -> None:
    """Offer to see what a study would hold, then to make it."""
    st.subheader(t("generate.to_study"))
    st.caption(t("generate.to_study_about"))
    kept = st.session_state.get(CHECKED)
    if kept is None or kept[0] != codes:
        if not st.button(t("generate.check"), key="gen-check"):
            return
        with st.spinner(t("generate.checking")):
            kept = (codes, outputs.check(database(), person, codes=codes, now=now()))
        st.session_state[CHECKED] = kept
    seen, left_out = kept[1]
    _seen(seen, left_out)
    if not seen.problems:
        _send(person, codes)


def _seen(seen: Preview, left_out: int) -> None:
    """Show counts, what the gates say, and what stands in the way."""
    if seen.problems:
        st.error(t("generate.study_refused", count=seen.problem_count))
        for place, problem in enumerate(seen.problems[:10]):
            plain(say(problem.code, language(), **problem.values), look="small", key=f"no-{place}")
        return
    plain(t("generate.would_hold", items=seen.items, answers=seen.answers,
            risk=sum((seen.risks or {}).get(one, 0) for one in ("possible", "high"))),
          key="hold")  # fmt: skip
    if left_out:
        plain(t("generate.left_out", count=left_out), key="left-out")
    if seen.gates is not None:
        for place, line in enumerate(answer_gates.summary_lines(seen.gates, language())):
            plain(line, look="small", key=f"gate-{place}")
        if seen.gates.findings:
            with st.expander(t("import_study.gates_each", count=len(seen.gates.findings))):
                _findings(seen.gates)


def _findings(report: Report) -> None:
    """List what the gates stopped at, so that somebody can read it first."""
    keys = ("item", "system", "gate", "value")
    rows = [
        {"item": one.item, "system": one.system, "gate": say(f"gates.{one.gate}", language()),
         "value": one.value}
        for one in report.findings[:GATES_SHOWN]
    ]
    titles = {key: "gate" if key == "gate" else f"gate_{key}" for key in keys}
    lead.rows_table(
        rows, columns={key: t(f"import_study.{title}") for key, title in titles.items()},
        alt=t("import_study.gates_alt"),
    )


def _send(person: Person, codes: Sequence[str]) -> None:
    """Ask for title and short name, then make the study."""
    with st.form("send", enter_to_submit=False, border=False):
        left, right = st.columns([3, 2])
        title = left.text_input(t("import_study.title_field"), max_chars=200, key="send-title")
        slug = right.text_input(
            t("import_study.slug"), max_chars=60, key="send-slug", placeholder="sleep-2026",
            help=t("import_study.slug_help"),
        )
        sent = st.form_submit_button(t("generate.send"), type="primary")
    if not sent:
        return
    made = outputs.send(
        database(), person, codes=codes, slug=re.sub(r"\s+", "", slug), title=title, now=now()
    )
    st.session_state.pop(CHECKED, None)
    st.session_state[lead.STUDY] = made.slug
    lead.tell(t("import_study.made" if made.new else "import_study.there", items=made.counts.items))
    st.switch_page("pages/studies.py")


EVERY: Final = timedelta(seconds=5)
"""A tick costs the server some 40 CPU-ms, nearly all of it Streamlit's own: under 1 % of a core."""

LIVE_FOR: Final = timedelta(minutes=20)
"""Afterwards the page rests: watching by itself must not keep a sign-in alive for ever."""

SINCE: Final = "runs_since"
CHOSEN: Final = "runs_chosen"
MOST: Final = 2


def show_runs(person: Person) -> None:
    """Draw the runs of a person."""
    jobs = browser_run.watch(database(), person, now=now())
    if not jobs:
        st.info(t("generate.no_runs"))
        return
    active = [one.run.code for one in jobs if one.active]
    if active:
        st.session_state.setdefault(SINCE, now())
        st.fragment(_live, run_every=EVERY)(active)
    else:
        st.session_state.pop(SINCE, None)
    chosen = _choose(jobs)
    for job in chosen:
        if not job.active:
            _one(person, job)
    if any(one.active for one in chosen) and st.button(t("generate.read_so_far")):
        st.rerun()
    readable = [one for one in chosen if one.run.folder and (one.run.done or one.run.failed)]
    if readable:
        show_rows(person, readable)


def _live(active: Sequence[str]) -> None:
    """Draw what is at work; this runs again by itself, so it asks again who looks."""
    if now() - st.session_state.get(SINCE, now()) > LIVE_FOR:
        st.info(t("generate.resting"))
        if st.button(t("generate.wake")):
            st.session_state[SINCE] = now()
            st.rerun()
        return
    person = signed_in()
    if person is None:
        st.info(t("generate.signed_out"))
        return
    jobs = browser_run.watch(database(), person, now=now())
    at_work = [one for one in jobs if one.active]
    if [one.run.code for one in at_work] != list(active):
        st.rerun()
    for job in at_work:
        _working(person, job)


def _working(person: Person, job: Watched) -> None:
    """Draw one run at work, with the way to stop it: few elements, for it is drawn often."""
    run = job.run
    line = f"{run.config['asked']['system']} · {_state(job)} · {_numbers(job)}"
    with st.container(horizontal=True, vertical_alignment="center", key=f"working-{run.code}"):
        st.progress(min(1.0, run.done / max(1, run.total)), text=literal(line))
        if st.button(t("generate.stop"), key=f"stop-{run.code}", disabled=job.state == "stopping"):
            lead.act(
                lambda: browser_run.stop(database(), person, code=run.code, now=now()),
                t("generate.stop_asked"),
            )


def _choose(jobs: Sequence[Watched]) -> list[Watched]:
    """Let the person choose one run, or two to read side by side."""
    by_code = {one.run.code: one for one in jobs}
    standing = st.session_state.get(CHOSEN, [jobs[0].run.code])
    st.session_state[CHOSEN] = [code for code in standing if code in by_code]
    codes = st.multiselect(
        t("generate.choose"), list(by_code), key=CHOSEN, max_selections=MOST,
        format_func={code: _label(one) for code, one in by_code.items()}.__getitem__,
        placeholder=t("generate.choose_none"),
    )
    return [by_code[code] for code in codes]


def _label(job: Watched) -> str:
    run = job.run
    parts = [run.config["asked"]["system"], lead.minute(run.created_at)]
    if not job.active:  # while it works the label stays as it is
        parts.append(f"{run.done}/{run.total} · {_state(job)}")
    return " · ".join(parts)


def _state(job: Watched) -> str:
    return say(f"runs.state_{job.state}", language())


def _one(person: Person, job: Watched) -> None:
    """Draw one run: what it was asked, what came of it, what can be done."""
    run, asked = job.run, job.run.config["asked"]
    with st.container(border=True, key=f"card-run-{run.code}"):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            plain(f"{asked['system']} · {_state(job)} · {_numbers(job)}", look="strong",
                  key=f"one-{run.code}")  # fmt: skip
            plain(_asked(job), look="small", key=f"asked-{run.code}")
            if note := job.told(language()):
                plain(note, look="small", key=f"note-{run.code}")
            if not run.folder:
                plain(t("generate.texts_gone"), look="small", key=f"gone-{run.code}")
        with right, st.container(horizontal=True):
            _acts(person, job)


def _acts(person: Person, job: Watched) -> None:
    """Offer to go on, and to delete the texts."""
    code = job.run.code
    if job.resumable and st.button(t("generate.resume"), key=f"resume-{code}"):
        lead.act(
            lambda: browser_run.resume(
                database(), person, code=code, settings=session.settings(), now=now()
            ),
            t("generate.resumed"),
        )
    if job.run.folder:
        with st.popover(t("generate.forget")):
            st.text(t("generate.forget_about"))
            if st.button(t("generate.forget_now"), key=f"forget-{code}"):
                lead.act(
                    lambda: browser_run.forget(database(), person, code=code, now=now()),
                    t("generate.forgotten"),
                )


def _asked(job: Watched) -> str:
    """Return in a line what was asked of which model."""
    asked = job.run.config["asked"]
    backend = t(f"generate.backend_{asked['backend']}")
    parts = [backend, asked["model"], asked["adapter"], asked["base_url"],
             t(f"generate.prompt_{asked['prompt'].replace('-', '_')}"), job.run.code]
    return " · ".join(part for part in parts if part)


def _numbers(job: Watched) -> str:
    """Return how far a run is; rate and time left only while it works."""
    run = job.run
    parts = [t("generate.done_of", done=run.done, total=run.total),
             t("generate.failed_count", count=run.failed)]
    if job.rate:
        parts.append(t("generate.rate", rate=f"{job.rate:.1f}"))
    if run.cost is not None:
        parts.append(t("generate.cost_so_far", cost=f"{run.cost:,.2f}"))
    if job.seconds_left is not None:
        parts.append(t("generate.left", time=_time(job.seconds_left)))
    return " · ".join(parts)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
