"""Reading label schemes and the crosswalk between them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from cbt_core.canonical import digest
from cbt_core.domain.instrument import EMPTY, Concept, Crosswalk, Label, Scheme, Text, content
from cbt_core.instruments.toml_reader import Table, parse_toml, refuse_repeats

RESERVED: Final = frozenset({"none", "unsure"})
"""What an annotator says when no label fits; in files: empty and ``<unsure>``."""


def parse_scheme(text: str, name: str) -> Scheme:
    """Return the scheme written in a TOML text; `name` stands for the file in messages.

    Raises:
        StudyError: the first thing wrong, with file and key.
    """
    return read_scheme(parse_toml(text, name))


def read_scheme(table: Table, fallback_id: str | None = None) -> Scheme:
    """Return the scheme in a table; `fallback_id` serves where no id is written.

    Raises:
        StudyError: the first thing wrong, with file and key.
    """
    table.only("id", "version", "name", "source", "second_hand", "labels")
    scheme_id = table.identifier("id", fallback_id)
    labels = tuple(_label(one) for one in table.children("labels"))
    if not labels:
        raise table.refusal("labels", "instruments.no_labels")
    refuse_repeats(table, "labels", [label.id for label in labels])
    scheme = Scheme(
        id=scheme_id,
        version=table.whole("version", 1, low=1, high=9999),
        name=table.words("name", Text(scheme_id, scheme_id)),
        source=table.words("source", EMPTY),
        labels=labels,
        digest="",
        second_hand=table.yes_no("second_hand", False),
    )
    return replace(scheme, digest=digest(content(scheme)))


def _label(table: Table) -> Label:
    table.only("id", "name", "definition", "examples", "near_miss", "aliases")
    label_id = table.identifier("id")
    if label_id in RESERVED:
        raise table.refusal("id", "instruments.taken_id", value=label_id)
    return Label(
        id=label_id,
        name=table.words("name", Text(label_id, label_id)),
        definition=table.words("definition"),
        examples=_examples(table),
        near_miss=table.words("near_miss", EMPTY),
        aliases=table.strings("aliases"),
    )


def _examples(table: Table) -> tuple[Text, ...]:
    """Return the examples of a label, each a plain text or ``{zh, en}``."""
    raw = table.content.get("examples", [])
    if not isinstance(raw, list):
        raise table.refusal("examples", "instruments.not_texts")
    places = [f"examples[{number}]" for number in range(1, len(raw) + 1)]
    numbered = Table(table.file, table.at, dict(zip(places, raw, strict=True)))
    return tuple(numbered.words(place) for place in places)


def parse_crosswalk(text: str, name: str, schemes: Mapping[str, Scheme]) -> Crosswalk:
    """Return the crosswalk in a TOML text; every label it names must exist in `schemes`.

    Raises:
        StudyError: the first thing wrong, with file and key.
    """
    table = parse_toml(text, name)
    table.only("version", "concepts")
    crosswalk = Crosswalk(
        version=table.whole("version", 1, low=1, high=9999),
        concepts=tuple(_concept(one, schemes) for one in table.children("concepts")),
        digest="",
    )
    return replace(crosswalk, digest=digest(content(crosswalk)))


def _concept(table: Table, schemes: Mapping[str, Scheme]) -> Concept:
    table.only("id", "name", "same", "partly")
    return Concept(
        id=table.identifier("id"),
        name=table.words("name"),
        same=_pairs(table.child("same"), schemes),
        partly=_pairs(table.child("partly"), schemes),
    )


def _pairs(table: Table, schemes: Mapping[str, Scheme]) -> tuple[tuple[str, str], ...]:
    table.only(*schemes)
    return tuple((scheme, _named_label(table, schemes[scheme])) for scheme in table.content)


def _named_label(table: Table, scheme: Scheme) -> str:
    return table.choice(scheme.id, [label.id for label in scheme.labels], "")
