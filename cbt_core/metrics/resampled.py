"""Bootstrap scores and exchange tests of a whole table; systems that share items share draws."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from cbt_core.metrics.bootstrap import Scored, exchange_p, replicates
from cbt_core.metrics.measuring import Measured, Plan
from cbt_core.metrics.pairing import Corpus
from cbt_core.stats.ratings import Floats

Keys = tuple[str, ...]
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Bootstrap scores by (items, system, metric); p by (a, b, metric)."""

    scores: Mapping[tuple[Keys, str, str], Floats]
    p: Mapping[tuple[str, str, str], float]


def drawn(corpus: Corpus, plan: Plan, measured: Mapping[str, Measured]) -> Drawn:
    """Resample every score and every pair of systems; sets of fewer than 2 items are left out."""
    if not plan.bootstrap or not measured:
        return Drawn({}, {})
    pairs: dict[Keys, list[Pair]] = defaultdict(list)
    for pair in combinations(corpus.systems, 2):
        pairs[corpus.common(pair)].append(pair)
    systems: dict[Keys, set[str]] = defaultdict(set)
    for system in corpus.systems:
        systems[corpus.keys_of(system)].add(system)
    for keys, found in pairs.items():
        systems[keys].update(one for pair in found for one in pair)
    scores: dict[tuple[Keys, str, str], Floats] = {}
    p: dict[tuple[str, str, str], float] = {}
    for keys in systems:
        if len(keys) < 2:
            continue
        table = _table(corpus, measured, keys, systems[keys])
        values = replicates(list(table.values()), count=plan.bootstrap, seed=plan.seed)
        scores |= {(keys, *place): one for place, one in zip(table, values, strict=True)}
        p |= _exchanged(table, pairs.get(keys, []), measured, plan.seed)
    return Drawn(scores, p)


def restricted(corpus: Corpus, measured: Measured, system: str, keys: Keys) -> Scored:
    """Return a system's rows on some of its items."""
    own = corpus.keys_of(system)
    rows = measured.rows[system]
    if own != keys:
        wanted = set(keys)
        rows = rows[[key in wanted for key in own]]
    return Scored(rows, measured.formula)


def _table(
    corpus: Corpus, measured: Mapping[str, Measured], keys: Keys, systems: Iterable[str]
) -> dict[tuple[str, str], Scored]:
    return {
        (system, name): restricted(corpus, one, system, keys)
        for system in sorted(systems)
        for name, one in measured.items()
    }


def _exchanged(
    table: Mapping[tuple[str, str], Scored],
    pairs: Iterable[Pair],
    names: Iterable[str],
    seed: int,
) -> dict[tuple[str, str, str], float]:
    places = [(a, b, name) for a, b in pairs for name in names]
    tested = [(table[a, name], table[b, name]) for a, b, name in places]
    return dict(zip(places, exchange_p(tested, seed=seed), strict=True)) if places else {}
