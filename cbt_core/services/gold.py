"""The labels an item truly has, as far as the study can say: adjudicated, else by majority.

Gold that judges a machine must not lean on it: votes come from the blind round alone, in which no
annotator had seen a proposal, and an adjudicator sees nothing else. A study in the mode `correct`
has no blind round: its gold comes from adjudication only.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from db import adjudications, label_lines, results
from db.engine import Connection

Rule = Literal["adjudicated", "majority", "undecided"]


@dataclass(frozen=True, slots=True)
class GoldLabels:
    """The gold labels of one item (none: no distortion), by which rule, from how many annotators.

    `annotators` counts the blind votes; with `majority` and 1 it is one person's word. `tied` are
    labels on which the votes were split evenly: not a majority, so not in `labels`. With
    `undecided` neither a label nor "none" has a majority: empty `labels` then say nothing, and
    `some` tells whether more than half saw a distortion all the same.
    """

    labels: frozenset[str]
    rule: Rule
    annotators: int
    tied: frozenset[str] = frozenset()
    some: bool = False

    @property
    def is_decided(self) -> bool:
        """Tell whether the item has gold labels (or gold "none")."""
        return self.rule != "undecided"

    @property
    def has_any(self) -> bool | None:
        """Tell whether the item has any distortion; None: the votes do not decide even that."""
        if self.is_decided:
            return bool(self.labels)
        return True if self.some else None

    @property
    def is_single(self) -> bool:
        """Tell whether this is one annotator's word: to be counted apart from a majority."""
        return self.rule == "majority" and self.annotators == 1


def gold_of(connection: Connection, study_id: int) -> dict[str, GoldLabels]:
    """Return the gold labels by item key; undecided items have none and are absent."""
    found = with_undecided(connection, study_id)
    return {key: one for key, one in found.items() if one.is_decided}


def with_undecided(connection: Connection, study_id: int) -> dict[str, GoldLabels]:
    """Return the gold labels by item key, undecided items among them.

    An adjudicated item has the labels of its decision's last revision; a decision "unsure" means
    that there is no gold. Any other item follows the `majority` of the last blind revisions
    (unsure and skipped are no votes); without a vote it is absent. Excluded annotators do not
    vote; excluded and withdrawn items are absent.
    """
    left_out, dropped = results.excluded(connection, study_id)
    votes = votes_of(connection, study_id, without=left_out)
    found = {key: majority(sets) for key, sets in votes.items()}
    lines = adjudications.every(connection, study_id)
    given = adjudications.labels(connection, study_id)
    for key, line in adjudications.newest(lines).items():
        if line.outcome == "unsure":
            found.pop(key, None)
            continue
        labels = frozenset(mark.label for mark in given.get(line.id, ()))
        found[key] = GoldLabels(labels, "adjudicated", len(votes.get(key, ())))
    return {key: found[key] for key in sorted(found) if key not in dropped}


def majority(votes: Sequence[frozenset[str]]) -> GoldLabels:
    """Return the labels that more than half of the sets hold, else "none" if more than half do.

    An even split is not a majority. Where neither a label nor "none" has one, nothing is decided:
    annotators who saw different distortions did not see none.
    """
    counts = Counter(label for one in votes for label in one)
    labels = frozenset(label for label, count in counts.items() if 2 * count > len(votes))
    some = sum(bool(one) for one in votes)
    is_decided = bool(labels) or 2 * (len(votes) - some) > len(votes)
    return GoldLabels(
        labels=labels,
        rule="majority" if is_decided else "undecided",
        annotators=len(votes),
        tied=frozenset(label for label, count in counts.items() if 2 * count == len(votes)),
        some=not is_decided and 2 * some > len(votes),
    )


def votes_of(
    connection: Connection, study_id: int, *, without: Iterable[str] = ()
) -> Mapping[str, list[frozenset[str]]]:
    """Return the label sets of the blind round by item key, one for each annotator who decided."""
    silent = frozenset(without)
    given = label_lines.labels(connection, study_id)
    found: dict[str, list[frozenset[str]]] = defaultdict(list)
    for line in label_lines.blind_round(connection, study_id):
        if line.is_vote and line.annotator not in silent:
            labels = given.get(line.submission_id, ())
            found[line.item].append(frozenset(name for name, _, _ in labels))
    return found
