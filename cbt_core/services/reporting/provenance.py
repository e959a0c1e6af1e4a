"""Where the answers of a system come from, as imported: model, adapter, prompt, run; no paths."""

from collections import Counter
from collections.abc import Iterator
from pathlib import PureWindowsPath

from cbt_core.domain.study import Stage
from cbt_core.services.reporting.context import SystemFacts
from cbt_core.services.study_analysis_facts import Facts
from db import results
from db.engine import Connection
from db.result_lines import AnswerLine


def system_facts(connection: Connection, facts: Facts) -> tuple[SystemFacts, ...]:
    """Return the systems by the names that may be told, with their origin once unblinded."""
    unblinded = facts.setup.study.stage == Stage.UNBLINDED
    names = facts.material.systems
    counts = Counter(system for _, system in facts.answers)
    origin: dict[str, dict[str, dict[str, None]]] = {}
    if unblinded:
        for one in results.answers(connection, facts.setup.study.id):
            if one.system_id in names:
                mine = origin.setdefault(names[one.system_id], {})
                for part, value in _origin(one):
                    mine.setdefault(part, {})[value] = None
    return tuple(
        SystemFacts(
            name, name == facts.baseline, counts[name],
            *(tuple(origin.get(name, {}).get(part, ())) for part in
              ("model", "adapter", "prompt", "run")),
        )
        for name in facts.systems
    )


def _origin(one: AnswerLine) -> Iterator[tuple[str, str]]:
    """Yield what is on record of an answer; a model named without an adapter has none."""
    if one.model:
        yield "model", folder_name(one.model) if _is_place(one.model) else one.model
    if one.model or one.adapter:
        yield "adapter", folder_name(one.adapter)
    for part, value in (("prompt", one.prompt), ("run", one.run)):
        if value:
            yield part, value


def folder_name(place: str) -> str:
    """Return the last part of a path of any system; a name as it is."""
    return PureWindowsPath(place.strip()).name


def _is_place(model: str) -> bool:
    """Tell a path on a machine from a name such as `owner/model`."""
    return model.startswith(("/", "~", ".", "\\")) or bool(PureWindowsPath(model).drive)
