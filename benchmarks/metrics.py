"""What the metrics cost: scoring once, intervals and tests on top, a second run, BERTScore.

Run from the repository root:

    python -m benchmarks.metrics --items 22327              (BLEU and chrF as published: minutes)
    python -m benchmarks.metrics --items 3000 --bertscore 60
    python -m benchmarks.metrics --items 0 --bertscore 200 --model DIR --layer 8

The texts are made up: answers of `--length` characters (mean of the paper's answers is about 310)
from the sentences of the demonstration, with characters changed at random. CPU seconds count all
processes. `once` is sacrebleu's own `corpus_score` of one system, `--oracle` answers scaled up.
"""

import argparse
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cbt_core.metrics.corpus import Corpus, join
from cbt_core.metrics.measures import Cache, Plan, counted
from cbt_core.metrics.score_table import drawn, score

SYSTEMS = {"S1": 0.6, "S2": 0.5, "S3": 0.4, "S4": 0.3}
METRICS = ("bleu", "chrf")
SENTENCES = (
    "听起来这段时间你真的很不容易，", "你愿意说出来已经很勇敢了。", "先看看脑海里冒出的那个念头：",
    "我什么都做不好。", "这个想法有多少是事实，有多少是感受？", "有没有哪一次事情并不是这样？",
    "可以把证据写在纸上，一边是支持的，一边是反对的。", "每天留出十分钟散步或深呼吸。",
    "如果朋友遇到同样的事，你会对他说什么？", "改变需要时间，慢慢来就好。",
    "也可以和信任的人聊一聊。", "睡前把担心的事写下来，明天再处理。",
    "老板的一句话不等于对你整个人的评价。", "祝你一切安好！",
)  # fmt: skip


def made(items: int, length: int) -> Corpus:
    """Return `items` references and four systems' answers to them."""
    draw = random.Random(1)
    letters = sorted(set("".join(SENTENCES)))

    def text() -> str:
        found = ""
        while len(found) < length * draw.uniform(0.6, 1.4):
            found += draw.choice(SENTENCES)
        return found

    def changed(text: str, share: float) -> str:
        return "".join(draw.choice(letters) if draw.random() < share else one for one in text)

    references = [(f"q{number}", text()) for number in range(items)]
    answers = [
        (key, system, changed(known, share))
        for system, share in SYSTEMS.items() for key, known in references
    ]
    return join(answers, references)


def cpu() -> float:
    """Return the CPU seconds of this process and its ended children."""
    return sum(os.times()[:4])


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return CPU seconds and wall seconds of a call."""
    start, wall = cpu(), time.perf_counter()
    work()
    return cpu() - start, time.perf_counter() - wall


def sacrebleu_once(corpus: Corpus, answers: int) -> float:
    """Return the CPU seconds sacrebleu needs for BLEU and chrF of one system, scaled up."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    keys = corpus.keys[:answers]
    candidates = [corpus.answers["S1"][key] for key in keys]
    references = [[corpus.references[key][0] for key in keys]]

    def work() -> None:
        for metric in (BLEU(tokenize="zh", force=True), CHRF()):
            metric.corpus_score(candidates, references)

    return timed(work)[0] * len(corpus.keys) / len(keys)


def counting(items: int, length: int, oracle: int) -> None:
    """Time BLEU and chrF: scoring, intervals and tests, and a second run."""
    corpus = made(items, length)
    plan = Plan(METRICS, bootstrap=1000)
    print(f"BLEU (zh) + chrF, {len(SYSTEMS)} systems x {items:,} answers of ~{length} characters")
    once = sacrebleu_once(corpus, min(oracle, items))
    print(f"  sacrebleu, one system once        {once:8.1f} CPU-s"
          f"{' (scaled up)' if oracle < items else ''}")
    with TemporaryDirectory() as folder:
        cache = Cache(Path(folder))
        used, wall = timed(lambda: score(corpus, Plan(METRICS, bootstrap=0), cache=cache))
        print(f"  all systems once, ours            {used:8.1f} CPU-s {wall:8.1f} s"
              f"   {used / (once * len(SYSTEMS)):.2f} of sacrebleu's")
        measured = {name: counted(name, corpus, plan, cache, None) for name in METRICS}
        extra, wall = timed(lambda: drawn(corpus, plan, measured))
        print(f"  1,000 replicates + 12 paired tests{extra:8.1f} CPU-s {wall:8.1f} s"
              f"   +{extra / used:.1%} (target: at most +20%)")
        again, wall = timed(lambda: score(corpus, plan, cache=cache))
        print(f"  second run, nothing changed       {again:8.1f} CPU-s {wall:8.1f} s")
        one = {**corpus.answers["S4"], corpus.keys[0]: "换了一个回答"}
        changed = Corpus(corpus.keys, corpus.references, {**corpus.answers, "S4": one})
        again, wall = timed(lambda: score(changed, plan, cache=cache))
        print(f"  second run, one system changed    {again:8.1f} CPU-s {wall:8.1f} s")


def random_bert(folder: Path) -> str:
    """Make a BERT as large as MiniLM (6 layers of 384) that knows the characters of the texts."""
    from transformers import BertConfig, BertModel, BertTokenizer

    letters = sorted(set("".join(SENTENCES)))
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8")
    tokenizer = BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=512)
    tokenizer.save_pretrained(folder)
    BertModel(BertConfig(
        vocab_size=len(vocabulary), hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
        intermediate_size=1536,
    )).save_pretrained(folder)  # fmt: skip
    return str(folder)


def bert(items: int, length: int, model: str, layer: int, rounds: int) -> None:
    """Time BERTScore of four systems beside bert-score's own."""
    from bert_score import BERTScorer

    from cbt_core.metrics.bertscore import BertScore, Settings

    corpus = made(items, length)
    references = [corpus.references[key][0] for key in corpus.keys]
    systems = [[corpus.answers[name][key] for key in corpus.keys] for name in SYSTEMS]
    tasks = [task for task, _ in corpus.tasks(corpus.systems)]
    scorer = BERTScorer(model_type=model, num_layers=layer, lang="zh")
    ours = BertScore(Settings(model, layer=layer))
    values, found = [], []
    theirs, mine = [], []
    for _ in range(rounds):  # in turn, and the best of each: other work on the machine adds time
        theirs.append(timed(
            lambda: values.append([scorer.score(one, references)[2].tolist() for one in systems])
        ))
        mine.append(timed(lambda: found.append(ours.scores(tasks))))
    apart = np.abs(np.array(values[0]).T - np.array([one[:, 0] for one in found[0]])).max()
    cpu_theirs, wall_theirs = (min(column) for column in zip(*theirs, strict=True))
    cpu_ours, wall_ours = (min(column) for column in zip(*mine, strict=True))
    print(f"BERTScore, 4 systems x {items} answers of ~{length} characters, {layer} layers, "
          f"best of {rounds}")
    print(f"  bert-score {wall_theirs:7.1f} s ({cpu_theirs:.1f} CPU-s)   ours {wall_ours:7.1f} s "
          f"({cpu_ours:.1f} CPU-s)   ratio {wall_theirs / wall_ours:.2f}, "
          f"{cpu_theirs / cpu_ours:.2f} by CPU (target 2)   apart {apart:.1e}")


def main() -> None:
    """Run what the options ask for."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--items", type=int, default=22_327, help="0 leaves BLEU and chrF out")
    options.add_argument("--length", type=int, default=310)
    options.add_argument("--oracle", type=int, default=1_000)
    options.add_argument("--bertscore", type=int, default=0, help="answers per system")
    options.add_argument("--model", default="", help="folder of an encoder; default: a random one")
    options.add_argument("--layer", type=int, default=6)
    options.add_argument("--rounds", type=int, default=2)
    chosen = options.parse_args()
    if chosen.items:
        counting(chosen.items, chosen.length, chosen.oracle)
    if chosen.bertscore:
        with TemporaryDirectory() as folder:
            model = chosen.model or random_bert(Path(folder))
            bert(chosen.bertscore, chosen.length, model, chosen.layer, chosen.rounds)


if __name__ == "__main__":
    main()
