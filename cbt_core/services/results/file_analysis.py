"""Statistics of ratings, guesses and labels from files: no database needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.files.counts import read_counts
from cbt_core.files.gold import GoldRow, MachineFile, read_gold
from cbt_core.files.labels import read_labels, read_spans
from cbt_core.files.ratings import read_ratings
from cbt_core.files.writer import write_json
from cbt_core.instruments import load_crosswalk, load_scheme, shipped_schemes
from cbt_core.stats.agreement.figures import agreement
from cbt_core.stats.agreement.results import Agreement
from cbt_core.stats.bias.blinding import CountedBlinding, blinding
from cbt_core.stats.comparison.contrasts import Comparison, compare
from cbt_core.stats.labels.annotators import LabelsAgreement, Setting, labels_agreement
from cbt_core.stats.labels.detection import Detection, Evaluation, JudgedRow, evaluate
from cbt_core.stats.labels.label_sets import Crosswalked, LabelSets, Mapped, gather
from cbt_core.stats.labels.spans import Documents

if TYPE_CHECKING:
    from cbt_core.analysis.labels import Aggregated, Gamma


Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Written(Generic[Found]):
    """What was written as JSON, and the doubts about the files it was made of."""

    found: Found
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """The figures of a labels file; the last two are there where an extra package was asked for."""

    agreement: LabelsAgreement
    gamma: "Gamma | None" = None
    aggregated: "Aggregated | None" = None

    def json(self) -> dict[str, object]:
        """Return the `labels agreement` JSON."""
        body = self.agreement.json()
        if self.gamma:
            body["gamma"] = self.gamma.json()
        if self.aggregated:
            body["aggregated"] = self.aggregated.json()
        return body


def agreement_file(
    path: Path,
    *,
    out: Path,
    scales: Sequence[str] | None = None,
    values: str | None = None,
    bootstrap: int = 1000,
    seed: int = 1,
    nominal: Sequence[str] = (),
) -> Written[Agreement]:
    """Write the `agreement` JSON of a ratings file.

    Raises:
        StudyError: the file cannot be read or analysed, or `out` cannot be written.
    """
    read = read_ratings(path, scales=scales, values=values)
    figures = agreement(
        read.ratings, values=read.values, bootstrap=bootstrap, seed=seed, nominal=nominal
    )
    write_json(figures.json(), out)
    return Written(figures, read.warnings)


def compare_file(
    path: Path,
    *,
    out: Path,
    baseline: str,
    scales: Sequence[str] | None = None,
    values: str | None = None,
    bootstrap: int = 1000,
    seed: int = 1,
) -> Written[Comparison]:
    """Write the `compare` JSON of a ratings file."""
    read = read_ratings(path, scales=scales, values=values)
    comparison = compare(
        read.ratings, baseline=baseline, values=read.values, bootstrap=bootstrap, seed=seed
    )
    write_json(comparison.json(), out)
    return Written(comparison, read.warnings)


def blinding_file(path: Path, *, out: Path) -> Written[CountedBlinding]:
    """Write the blinding indices of a table of guesses."""
    indices = blinding(read_counts(path))
    write_json(indices.json(), out)
    return Written(indices)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How files are read and agreement is measured; the last three need extra packages."""

    scheme: str | None = None
    spans: Path | None = None
    documents: Path | None = None
    encoding: str | None = None
    bootstrap: int = 1000
    seed: int = 1
    gamma: bool = False
    aggregate: str | None = None
    aggregate_out: Path | None = None


@dataclass(frozen=True, slots=True)
class Schemes:
    """Whose labels a gold file holds: one scheme for both, or one for each side."""

    both: str | None = None
    gold: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class GoldFiles:
    """A gold file, the file of the machine's labels where they stand apart, their encoding."""

    gold: Path
    machine: MachineFile | None = None
    encoding: str | None = None


def gold_files(
    gold: Path, *, model: str | None, machine: str | None, encoding: str | None
) -> GoldFiles:
    """Return the files of an evaluation as they were named.

    Raises:
        StudyError: a machine is named without the file that holds it.
    """
    if machine and not model:
        raise StudyError("labels.machine_needs_model")
    return GoldFiles(gold, MachineFile(Path(model), machine) if model else None, encoding)


def labels_agreement_file(path: Path, *, out: Path, wishes: Wishes) -> Written[LabelFigures]:
    """Write the `labels agreement` JSON of a labels file.

    Raises:
        StudyError: a file cannot be read or analysed, `out` cannot be written, or an extra package
            is asked for and not installed.
    """
    _check(wishes)
    scheme = load_scheme(wishes.scheme) if wishes.scheme else None
    read = read_labels(path, scheme=scheme, encoding=wishes.encoding)
    warnings, documents = read.warnings, None
    if wishes.spans and wishes.documents:
        marked = read_spans(
            wishes.spans, wishes.documents, rows=read.rows, scheme=scheme,
            encoding=wishes.encoding,
        )
        documents, warnings = marked.documents, warnings + marked.warnings
    known = [label.id for label in scheme.labels] if scheme else None
    sets = gather(read.rows, known, **read.flow)
    setting = Setting(
        wishes.bootstrap, wishes.seed, scheme=scheme.signature if scheme else ""
    )
    figures = _with_extras(labels_agreement(sets, setting, documents), sets, documents, wishes)
    write_json(figures.json(), out)
    return Written(figures, warnings)


def evaluate_file(
    files: GoldFiles, *, out: Path, schemes: Schemes, bootstrap: int = 1000, seed: int = 1
) -> Written[Detection]:
    """Write the `labels evaluate` JSON of a gold file.

    Where the sides use different schemes, both are put into the words of `schemes.both`, or of the
    gold side, through the crosswalk.

    Raises:
        StudyError: the file cannot be read or analysed, or `out` cannot be written.
    """
    gold, model, target = _sides(schemes)
    read = read_gold(
        files.gold, gold=gold, model=model, machine=files.machine, encoding=files.encoding
    )
    crosswalk = None
    if gold and model and target and {gold.id, model.id} != {target.id}:
        rows, crosswalk = _mapped(read.rows, gold, model, target)
    else:
        rows = [_judged(row) for row in read.rows]
    judged = Evaluation(
        rows=rows, labels=_labels(rows, target), flow=read.flow, crosswalk=crosswalk
    )
    setting = Setting(bootstrap, seed, scheme=target.signature if target else "")
    detection = evaluate(judged, setting)
    write_json(detection.json(), out)
    return Written(detection, read.warnings)


def _check(wishes: Wishes) -> None:
    if bool(wishes.spans) != bool(wishes.documents):
        raise StudyError("labels.spans_and_documents")
    if wishes.gamma and not wishes.spans:
        raise StudyError("labels.gamma_needs_spans")
    if bool(wishes.aggregate) != bool(wishes.aggregate_out):
        raise StudyError("labels.aggregate_needs_out")


def _with_extras(
    figures: LabelsAgreement, sets: LabelSets, documents: Documents | None, wishes: Wishes
) -> LabelFigures:
    if not wishes.gamma and not wishes.aggregate:
        return LabelFigures(figures)
    from cbt_core.analysis import labels

    gamma = aggregated = None
    if wishes.gamma and documents is not None:
        gamma = labels.gamma(sets, documents, seed=wishes.seed, bootstrap=wishes.bootstrap)
    if wishes.aggregate and wishes.aggregate_out:
        aggregated = labels.aggregate(
            sets, method=wishes.aggregate, seed=wishes.seed, out=wishes.aggregate_out
        )
    return LabelFigures(figures, gamma, aggregated)


def _sides(schemes: Schemes) -> tuple[Scheme | None, Scheme | None, Scheme | None]:
    """Return the schemes of gold, of the model, and of the evaluation."""
    if bool(schemes.gold) != bool(schemes.model):
        raise StudyError("labels.one_scheme_side")
    both = load_scheme(schemes.both) if schemes.both else None
    if not schemes.gold or not schemes.model:
        return both, both, both
    gold, model = load_scheme(schemes.gold), load_scheme(schemes.model)
    target = both or gold
    if len({gold.id, model.id, target.id}) > 1:
        for scheme in (gold, model, target):
            if scheme.id not in shipped_schemes():
                known = ", ".join(shipped_schemes())
                raise StudyError("labels.not_in_crosswalk", scheme=scheme.id, known=known)
    return gold, model, target


def _judged(row: GoldRow) -> JudgedRow:
    return JudgedRow(
        row.item, row.gold, row.model, row.rule, chance=row.chance, any_only=row.any_only
    )


def _mapped(
    rows: Sequence[GoldRow], gold: Scheme, model: Scheme, target: Scheme
) -> tuple[list[JudgedRow], Crosswalked]:
    """Put both sides into the labels of the target; count what has no counterpart there."""
    crosswalk = load_crosswalk()
    sides = [Mapped(crosswalk, source=one.id, target=target.id) for one in (gold, model)]
    judged = []
    for row in rows:
        in_gold, beyond_gold = sides[0].labels(row.gold)
        in_model, beyond_model = sides[1].labels(row.model)
        judged.append(JudgedRow(
            row.item, in_gold, in_model, row.rule, beyond_gold, beyond_model, row.chance,
            row.any_only,
        ))
    known = [label.id for label in target.labels]
    counts = [side.side(known, [label.id for label in scheme.labels])
            for side, scheme in zip(sides, (gold, model), strict=True)]
    return judged, Crosswalked(target.id, crosswalk.version, *counts)


def _labels(rows: list[JudgedRow], target: Scheme | None) -> list[str]:
    """Return the labels judged: all of the scheme, else the sorted union of those seen."""
    if target is not None:
        return [label.id for label in target.labels]
    return sorted({label for row in rows for label in (*row.gold, *row.model)})
