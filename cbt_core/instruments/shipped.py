"""Instruments, schemes and crosswalk that come with Concord, and own ones from files."""

from functools import cache
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Crosswalk, Instrument, Scheme
from cbt_core.errors import StudyError
from cbt_core.instruments.reading import parse_toml, read_text
from cbt_core.instruments.scales import read_instrument
from cbt_core.instruments.schemes import parse_crosswalk, read_scheme

FOLDER: Final = Path(__file__).parent
INSTRUMENTS: Final = ("cbt-3", "overall-5")
SCHEMES: Final = ("burns-12", "cbt-bench-10", "c2d2-7", "cbt-llm-5")


def shipped_instruments() -> tuple[str, ...]:
    """Return the ids of the instruments that come with Concord."""
    return INSTRUMENTS


def shipped_schemes() -> tuple[str, ...]:
    """Return the ids of the label schemes that come with Concord."""
    return SCHEMES


def load_instrument(id_or_path: str | Path, folder: Path | None = None) -> Instrument:
    """Return a shipped instrument by id, or an own one from a TOML file.

    A relative path starts at `folder` (default: the working directory).

    Raises:
        StudyError: neither a shipped id nor a file, or the file is not an instrument.
    """
    if str(id_or_path) in INSTRUMENTS:
        return _shipped_instrument(str(id_or_path))
    path = _own_file(id_or_path, folder, INSTRUMENTS)
    return read_instrument(parse_toml(read_text(path), str(path)), path.stem)


def load_scheme(id_or_path: str | Path, folder: Path | None = None) -> Scheme:
    """Return a shipped label scheme by id, or an own one from a TOML file.

    A relative path starts at `folder` (default: the working directory).

    Raises:
        StudyError: neither a shipped id nor a file, or the file is not a scheme.
    """
    if str(id_or_path) in SCHEMES:
        return _shipped_scheme(str(id_or_path))
    path = _own_file(id_or_path, folder, SCHEMES)
    return read_scheme(parse_toml(read_text(path), str(path)), path.stem)


@cache
def load_crosswalk() -> Crosswalk:
    """Return which labels of the shipped schemes mean the same."""
    schemes = {scheme: load_scheme(scheme) for scheme in SCHEMES}
    return parse_crosswalk(read_text(FOLDER / "crosswalk.toml"), "crosswalk.toml", schemes)


def _own_file(id_or_path: str | Path, folder: Path | None, shipped: tuple[str, ...]) -> Path:
    path = (folder or Path()) / id_or_path
    if path.suffix != ".toml" and not path.exists():
        known = ", ".join(shipped)
        raise StudyError("instruments.not_shipped", name=str(id_or_path), known=known)
    return path


@cache
def _shipped_instrument(instrument_id: str) -> Instrument:
    name = f"{instrument_id}.toml"
    return read_instrument(parse_toml(read_text(FOLDER / name), name))


@cache
def _shipped_scheme(scheme_id: str) -> Scheme:
    name = f"{scheme_id}.toml"
    return read_scheme(parse_toml(read_text(FOLDER / name), name))
