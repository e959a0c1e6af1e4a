"""Scales and label schemes as TOML, in Chinese and English: study data, not interface text."""

from cbt_core.instruments.scales import parse_instrument
from cbt_core.instruments.schemes import parse_scheme
from cbt_core.instruments.shipped import (
    Defaults,
    defaults,
    load_crosswalk,
    load_instrument,
    load_scheme,
    shipped_instruments,
    shipped_schemes,
)

__all__ = [
    "Defaults",
    "defaults",
    "load_crosswalk",
    "load_instrument",
    "load_scheme",
    "parse_instrument",
    "parse_scheme",
    "shipped_instruments",
    "shipped_schemes",
]
