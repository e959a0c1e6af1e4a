"""Questions to answers: the task that `generate` has a model do under a system's name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.files.problems import SYSTEM_CHARACTERS
from cbt_core.generation.backend.catalogue import Options
from cbt_core.generation.backend.exchange import Decoding, Failure, Reply, Request
from cbt_core.generation.run.journal import Row
from cbt_core.generation.run.manifest import found_in
from cbt_core.generation.tasks.prompts import Prompt, load_prompt
from cbt_core.generation.tasks.questions import Checked, Questions
from cbt_core.generation.tasks.reply_reader import Fault, parse_reply
from cbt_core.generation.tasks.task import Origin
from cbt_core.instruments import load_scheme


@dataclass(frozen=True, slots=True)
class Answers:
    """Questions to be answered by a prompt; `scheme` is None where the prompt names no labels."""

    system: str
    questions: Questions
    checked: Checked
    prompt: Prompt
    prompt_hash: str
    scheme: Scheme | None

    @property
    def total(self) -> int:
        """Return how many questions there are."""
        return self.checked.count

    @property
    def sources(self) -> Mapping[str, int]:
        """Return the questions' sources with their counts."""
        return self.checked.sources

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Return doubts about the questions file."""
        return self.checked.warnings

    @property
    def echo_labels(self) -> Sequence[str]:
        """Return the scheme's labels as the prompt calls them."""
        labels = self.scheme.labels if self.scheme else ()
        return [label.name(self.prompt.language) for label in labels]

    def config(self, options: Options, host: str) -> Mapping[str, object]:
        """Return all that decides what rows are like."""
        return {
            "system": self.system, **options.deciding(host), "prompt": self.prompt.id,
            "prompt_version": self.prompt.version, "prompt_language": self.prompt.language,
            "prompt_hash": self.prompt_hash,
            "scheme": self.scheme.signature if self.scheme else "",
            "decoding": asdict(options.decoding), "questions": self.checked.digest,
        }

    def requests(self, decoding: Decoding) -> Iterator[Request]:
        """Yield a request for each question, in the order of the file."""
        for item in self.questions:
            messages = self.prompt.messages(item.question, item.description, self.scheme)
            yield Request(item.key, messages, decoding, self.prompt.schema)

    def row(self, request: Request, reply: Reply, origin: Origin) -> Row | Failure:
        """Return the row of a reply, or why it is of no use."""
        parts = parse_reply(reply.text, self.prompt.reply, self.scheme)
        if isinstance(parts, Fault):
            return Failure(request.key, parts.cause, parts.detail, reply.text)
        prompt = self.prompt
        return {
            "id": request.key, "system": self.system, "answer": parts.answer,
            "distortions": list(parts.distortions), "model": reply.model or origin.model,
            "adapter": origin.adapter, "prompt": f"{prompt.id}@{prompt.version}.{prompt.language}",
            "run": origin.run, "prompt_hash": self.prompt_hash, "steps": dict(parts.steps),
            "evidence": [{"label": one.label, "quote": one.quote} for one in parts.evidence],
            "unknown_distortions": list(parts.unknown), "risk": parts.risk,
        }

    def figures(self, out: Path) -> Mapping[str, object]:
        """Return what the manifest says of finished rows."""
        return {"found": found_in(out)}


def answers_to(
    questions: Questions, *, system: str, prompt: str = "cbt", language: str = "zh",
    scheme: str = "burns-12",
) -> Answers:
    """Read and check what is to be answered; `prompt` and `scheme` are shipped names or files.

    Raises:
        ImportProblems: the questions cannot be read.
        StudyError: prompt, scheme or system name are wrong.
    """
    if not system.strip() or system != system.strip() or not system.isprintable():
        raise StudyError("generation.system_name", limit=SYSTEM_CHARACTERS)
    if len(system) > SYSTEM_CHARACTERS:
        raise StudyError("generation.system_name", limit=SYSTEM_CHARACTERS)
    loaded = load_prompt(prompt, language)
    is_labelled = loaded.needs_scheme or loaded.reply == "json"
    labels = load_scheme(scheme) if is_labelled else None
    return Answers(system, questions, questions.check(), loaded, loaded.hash(labels), labels)
