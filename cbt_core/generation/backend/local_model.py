"""Answers from a model on this machine, in left-padded batches of like length.

The model works in one thread of its own; the event loop stays free. Every row of a batch is drawn
by its own seed, until its own end: its cumulative distribution is inverted with one uniform number
a step, so a reply does not depend on its neighbours but for rounding.
"""

import asyncio
import hashlib
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Final

from cbt_core.generation.backend.exchange import Decoding, Failure, Finish, Message, Reply, Request
from cbt_core.generation.backend.model_folder import adapter_settings, find
from cbt_core.generation.backend.model_weights import Loaded, choose_device, load, out_of_memory
from cbt_core.generation.backend.profiles import CHAT, Template

if TYPE_CHECKING:
    from torch import BoolTensor, FloatTensor, LongTensor, Tensor
    from transformers import PreTrainedTokenizerBase

TAIL: Final = 24
"""Tokens at the end of a row that are looked through for a stop text."""


def row_random(seed: int, key: str) -> random.Random:
    """Return the stream of random numbers of one request; the same in any batch and on retry."""
    digest = hashlib.blake2b(f"{seed}/{key}".encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest))


class SeededDraw:
    """Leaves only the drawn token of each row, so that a greedy search picks it."""

    def __init__(self, streams: Sequence[random.Random], temperature: float, top_p: float) -> None:
        self.streams = streams
        self.temperature = temperature
        self.top_p = top_p

    def __call__(self, input_ids: "LongTensor", scores: "FloatTensor") -> "Tensor":
        """Return scores (rows × vocabulary) of minus infinity but for one token a row."""
        shares, order = (scores.double() / self.temperature).softmax(-1).sort(descending=True)
        before = shares.cumsum(-1) - shares
        kept = shares.masked_fill(before >= self.top_p, 0.0).cumsum(-1)
        drawn = kept.new_tensor([stream.random() for stream in self.streams]).unsqueeze(-1)
        place = (kept <= drawn * kept[:, -1:]).sum(-1, keepdim=True)
        chosen = order.gather(-1, place.clamp(max=order.shape[-1] - 1))
        return scores.new_full(scores.shape, float("-inf")).scatter(-1, chosen, 0.0)


class StopTexts:
    """Ends a row once one of the texts stands in its reply."""

    def __init__(
        self, tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], prompt_tokens: int
    ) -> None:
        self.tokenizer = tokenizer
        self.texts = texts
        self.prompt_tokens = prompt_tokens

    def __call__(self, input_ids: "LongTensor", scores: object, **_: object) -> "BoolTensor":
        """Return, for each row, whether it has ended."""
        start = max(self.prompt_tokens, input_ids.shape[-1] - TAIL)
        tails = self.tokenizer.batch_decode(input_ids[:, start:], skip_special_tokens=False)
        ended = [any(text in tail for text in self.texts) for tail in tails]
        return input_ids.new_tensor(ended).bool()  # type: ignore[return-value]


class StopWhenClosed:
    """Ends all rows when the backend is being closed: Ctrl-C need not wait for a batch."""

    def __init__(self, closed: Event) -> None:
        self.closed = closed

    def __call__(self, input_ids: "LongTensor", scores: object, **_: object) -> "BoolTensor":
        """Return, for each row, whether it has ended."""
        return input_ids.new_full(  # type: ignore[return-value]
            (input_ids.shape[0],), int(self.closed.is_set())
        ).bool()


def cut(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """Return the text before the first stop text, and whether there was one."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return (text[: min(places)], True) if places else (text, False)


CPU_BATCH, GPU_BATCH, WINDOW = 8, 32, 4
"""WINDOW: batches the runner hands over at once, so that there is something to sort by length."""


@dataclass(frozen=True, slots=True)
class LocalModel:
    """What to load and how.

    `model` is a profile's id, a folder, a GGUF file or a hub id; `batch` the rows answered
    together (0: 8 on a CPU, 32 on a GPU); `threads` CPU threads (0: torch's own choice).
    """

    model: str
    adapter: str = ""
    revision: str = ""
    device: str = "auto"
    dtype: str = "auto"
    batch: int = 0
    threads: int = 0
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request and its prompt's tokens."""

    request: Request
    tokens: tuple[int, ...]


class TransformersBackend:
    """A local model behind the protocol of `backend.Backend`."""

    name = "transformers"
    concurrency = 1

    def __init__(self, settings: LocalModel) -> None:
        """Find the model; it is loaded on first use.

        Raises:
            StudyError: no such model, adapter or device, or its code was not consented to.
        """
        self.settings = settings
        self.source = find(settings.model, revision=settings.revision,
                           trust_remote_code=settings.trust_remote_code)
        if settings.adapter:
            adapter_settings(settings.adapter)
        self.model = self.source.name
        self.device = choose_device(settings.device)
        self.rows = settings.batch or (CPU_BATCH if self.device == "cpu" else GPU_BATCH)
        self.batch_size = WINDOW * self.rows
        self._closed = Event()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="local-model")

    @cached_property
    def loaded(self) -> Loaded:
        """Load the model.

        Raises:
            StudyError: it cannot be loaded here.
        """
        import torch

        if self.settings.threads:
            torch.set_num_threads(self.settings.threads)
        return load(self.source, adapter=self.settings.adapter, device=self.device,
                    dtype=self.settings.dtype)

    async def reply(self, batch: Sequence[Request]) -> Sequence[Reply | Failure]:
        """Answer these requests, in their order."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self.answers, tuple(batch))

    def describe(self) -> Mapping[str, object]:
        """Return model, revision, digest, adapter, device, number format, versions, batch."""
        return {"backend": self.name, **self.loaded.facts, "batch": self.rows}

    async def close(self) -> None:
        """End what is being written and let go of the model."""
        self._closed.set()
        await asyncio.get_running_loop().run_in_executor(None, self._worker.shutdown)
        self.__dict__.pop("loaded", None)

    def answers(self, batch: Sequence[Request]) -> list[Reply | Failure]:
        """Answer these requests in this thread, in their order."""
        outcomes: dict[int, Reply | Failure] = {}
        prepared: dict[int, Prepared] = {}
        for place, request in enumerate(batch):
            ready = self._prepare(request)
            if isinstance(ready, Failure):
                outcomes[place] = ready
            else:
                prepared[place] = ready
        for places in _alike(prepared):
            outcomes.update(self._group(places, prepared))
        return [outcomes[place] for place in range(len(batch))]

    def prompt(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """Return the tokens of a prompt in the model's template."""
        return prompt_tokens(messages, self.loaded.tokenizer, self.loaded.template)

    def _prepare(self, request: Request) -> Prepared | Failure:
        """Return the request with its tokens, its reply bounded by what the model can hold."""
        tokens = self.prompt(request.messages)
        room = request.decoding.max_new_tokens
        if self.loaded.context is not None:
            room = min(room, self.loaded.context - len(tokens))
        if room <= 0:
            return Failure(request.key, "bad_request", "longer_than_context", passing=False)
        decoding = replace(request.decoding, max_new_tokens=room)
        return Prepared(replace(request, decoding=decoding), tokens)

    def _group(
        self, places: Sequence[int], prepared: Mapping[int, Prepared]
    ) -> Iterator[tuple[int, Reply | Failure]]:
        """Answer requests of one decoding, longest prompts first: no room shows at once."""
        waiting = sorted(places, key=lambda place: -len(prepared[place].tokens))
        while waiting:
            rows = waiting[: self.rows]
            try:
                results = self._together([prepared[place] for place in rows])
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                results = self._shrink(prepared[rows[0]].request)
                rows = rows[: len(results)]
            yield from zip(rows, results, strict=True)
            waiting = waiting[len(rows) :]

    def _shrink(self, largest: Request) -> list[Reply | Failure]:
        """Halve the batch; a single request that finds no room has failed."""
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if self.rows > 1:
            self.rows //= 2
            return []
        return [Failure(largest.key, "out_of_memory", "one_row", passing=False)]

    def _together(self, rows: Sequence[Prepared]) -> list[Reply | Failure]:
        """Answer one batch."""
        began = time.perf_counter()
        width = max(len(one.tokens) for one in rows)
        written = self._generate(rows, width)[:, width:].tolist()
        seconds = (time.perf_counter() - began) / len(rows)
        return [self._result(*one, seconds) for one in zip(rows, written, strict=True)]

    def _generate(self, rows: Sequence[Prepared], width: int) -> "Tensor":
        """Return the tokens (rows × width + new) of prompts padded on the left."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

        loaded, decoding = self.loaded, rows[0].request.decoding
        padding = _padding(loaded)
        tokens = [[padding] * (width - len(one.tokens)) + list(one.tokens) for one in rows]
        mask = [[0] * (width - len(one.tokens)) + [1] * len(one.tokens) for one in rows]
        draw: list[object] = []
        if decoding.temperature > 0:
            streams = [row_random(one.request.decoding.seed, one.request.key) for one in rows]
            draw = [SeededDraw(streams, decoding.temperature, decoding.top_p)]
        stops: list[object] = [StopWhenClosed(self._closed)]
        if loaded.template.stop:
            stops.append(StopTexts(loaded.tokenizer, loaded.template.stop, width))
        settings = GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=decoding.max_new_tokens, do_sample=False, pad_token_id=padding,
            eos_token_id=list(loaded.ends) or None,
            repetition_penalty=decoding.repetition_penalty,
        )
        device = loaded.model.device
        with torch.inference_mode():
            return loaded.model.generate(  # type: ignore[no-any-return, operator]
                input_ids=torch.tensor(tokens, device=device),
                attention_mask=torch.tensor(mask, device=device),
                generation_config=settings, logits_processor=LogitsProcessorList(draw),
                stopping_criteria=StoppingCriteriaList(stops),
            )

    def _result(self, row: Prepared, written: list[int], seconds: float) -> Reply | Failure:
        """Return one row's reply: what stands before its end token or stop text."""
        loaded, key = self.loaded, row.request.key
        end = next((i for i, token in enumerate(written) if token in loaded.ends), None)
        own = written[:end]
        text = str(loaded.tokenizer.decode(own, skip_special_tokens=True))
        text, stopped = cut(text, loaded.template.stop)
        if self._closed.is_set():
            return Failure(key, "server_error", "closed")
        if not text.strip():
            return Failure(key, "empty", "no_text")
        finish: Finish = "stop" if end is not None or stopped else "length"
        return Reply(
            key=key, text=text.strip(), finish=finish, model=self.model,
            prompt_tokens=len(row.tokens), reply_tokens=len(own) + (end is not None),
            seconds=seconds,
        )


def prompt_tokens(
    messages: Sequence[Message], tokenizer: "PreTrainedTokenizerBase", template: Template
) -> tuple[int, ...]:
    """Return the tokens of a prompt: by the tokenizer's chat template, or as plain text."""
    if template.kind == CHAT:
        turns = [{"role": one.role, "content": one.content} for one in messages]
        text = str(tokenizer.apply_chat_template(  # type: ignore[call-overload, unused-ignore]
            turns, tokenize=False, add_generation_prompt=True,
            **template.options,  # type: ignore[arg-type]
        ))
    else:
        text = template.plain(messages)
    return tuple(tokenizer(text, add_special_tokens=template.kind != CHAT)["input_ids"])


def _alike(prepared: Mapping[int, Prepared]) -> list[list[int]]:
    """Return the places of requests that can stand in one batch: same decoding but the seed."""
    groups: dict[Decoding, list[int]] = {}
    for place, ready in prepared.items():
        groups.setdefault(replace(ready.request.decoding, seed=0), []).append(place)
    return list(groups.values())


def _padding(loaded: Loaded) -> int:
    """Return the token that fills rows; masked, so any will do."""
    own = loaded.tokenizer.pad_token_id
    return own if isinstance(own, int) else (loaded.ends[0] if loaded.ends else 0)
