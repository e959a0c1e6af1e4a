"""Where a local model lies: a folder, a hub id, or a GGUF file that is converted once and kept.

Nothing is fetched from the hub unless the server's owner says so (`CONCORD_HUB=download`); the
hub's own cache on this machine is always looked at.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from cbt_core.errors import StudyError
from cbt_core.generation.backend.profiles import Profile, matching, profile
from cbt_core.settings import ROOT

Kind = Literal["folder", "hub", "gguf"]

PACKAGE: Final = "package:"
MARK: Final = "concord.json"
"""Written beside an adapter or a merged model: the profile whose template it was tuned with."""

HUB_ID: Final = re.compile(r"[\w.-]+/[\w.-]+")
ADAPTER_WEIGHTS: Final = ("adapter_model.safetensors", "adapter_model.bin")
CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A model that was found: what is shown of it, and what loads it."""

    name: str
    kind: Kind
    path: str
    revision: str = ""
    digest: str = ""
    remote_code: bool = False
    profile: Profile | None = None

    @property
    def local_only(self) -> bool:
        """Tell whether only this machine may be looked at."""
        return self.kind != "hub" or os.environ.get("CONCORD_HUB") != "download"

    def describe(self) -> Mapping[str, object]:
        """Return what a manifest says of it."""
        return {
            "model": self.name, "kind": self.kind, "revision": self.revision,
            "digest": self.digest, "remote_code": self.remote_code,
            "profile": self.profile.id if self.profile else None,
        }


def models_folder() -> Path:
    """Return where converted models are kept: `CONCORD_MODELS`, else data/models."""
    return Path(os.environ.get("CONCORD_MODELS") or ROOT / "data" / "models")


def find(model: str, *, revision: str = "", trust_remote_code: bool = False) -> Source:
    """Find a model by a profile's id, a folder, a GGUF file or a hub id. Nothing is loaded yet.

    Raises:
        StudyError: not there, an adapter instead of a model, or code of others without consent.
    """
    known = matching(model)
    place = known.model if known else model
    if place.startswith(PACKAGE):
        return _gguf(_in_package(place), known)
    path = Path(place)
    if path.is_dir():
        return _folder(path, known, trust_remote_code)
    if path.suffix == ".gguf":
        return _gguf(path, known)
    if not HUB_ID.fullmatch(place):
        raise StudyError("local_model.no_model", model=model)
    return _hub(place, revision, known, trust_remote_code)


def adapter_settings(folder: str | Path) -> Mapping[str, object]:
    """Return an adapter's adapter_config.json.

    Raises:
        StudyError: the folder holds no adapter, or its settings without the weights: these are
            never looked for elsewhere.
    """
    try:
        read = json.loads((Path(folder) / "adapter_config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError("local_model.no_adapter", folder=folder) from error
    if not any((Path(folder) / name).is_file() for name in ADAPTER_WEIGHTS):
        raise StudyError("local_model.no_adapter_weights", folder=folder)
    return read if isinstance(read, dict) else {}


def marked_profile(folder: Path) -> Profile | None:
    """Return the profile a tuned folder says it was made with, if it says so."""
    try:
        name = json.loads((folder / MARK).read_text("utf-8"))["profile"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return profile(str(name)) if name else None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _folder(path: Path, known: Profile | None, trust: bool) -> Source:
    settings = _config(path)
    own_code = "auto_map" in settings
    if own_code and not trust:
        raise StudyError("local_model.remote_code", model=path.name)
    return Source(
        name=path.name, kind="folder", path=str(path), digest=_folder_digest(path),
        remote_code=own_code, profile=known or marked_profile(path),
    )


def _config(path: Path) -> Mapping[str, object]:
    if not (path / "config.json").is_file():
        code = "adapter_not_model" if (path / "adapter_config.json").is_file() else "no_config"
        raise StudyError(f"local_model.{code}", folder=path)
    read = json.loads((path / "config.json").read_text("utf-8"))
    return read if isinstance(read, dict) else {}


def _folder_digest(path: Path) -> str:
    """Return a digest of the weight files' own digests: which weights, whatever the folder."""
    files = sorted(path.glob("*.safetensors")) or sorted(path.glob("*.bin"))
    joined = "\n".join(file_digest(file) for file in files)
    return hashlib.sha256(joined.encode()).hexdigest()


def _hub(name: str, revision: str, known: Profile | None, trust: bool) -> Source:
    needs_code = known.remote_code if known else False
    if needs_code and not trust:
        raise StudyError("local_model.remote_code", model=name)
    pinned = revision or (known.revision if known else "")
    if trust and not pinned:
        raise StudyError("local_model.revision_needed", model=name)
    return Source(name=name, kind="hub", path=name, revision=pinned, remote_code=trust,
                  profile=known)


def _in_package(place: str) -> Path:
    """Return a data file of an installed package, without importing the package."""
    package, _, file = place.removeprefix(PACKAGE).partition("/")
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise StudyError("local_model.no_package", package=package.replace("_", "-"))
    return Path(spec.submodule_search_locations[0]) / file


def _gguf(file: Path, known: Profile | None) -> Source:
    if not file.is_file():
        raise StudyError("local_model.no_model", model=file.name)
    digest = file_digest(file)
    return Source(name=file.stem, kind="gguf", path=str(file), digest=digest, profile=known)


def ready_folder(source: Source) -> str:
    """Return what `from_pretrained` takes: a GGUF file is converted on its first use."""
    if source.kind != "gguf":
        return source.path
    folder = models_folder() / f"{source.name}-{source.digest[:12]}"
    if not (folder / "config.json").is_file():
        _convert_once(Path(source.path), folder)
    return str(folder)


def _convert_once(file: Path, folder: Path) -> None:
    """Write the GGUF file's weights as safetensors; of several processes, one does it."""
    from filelock import FileLock

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f"{folder.name}.lock"):
            if not (folder / "config.json").is_file():
                _convert(file, folder)
    except OSError as error:
        raise StudyError("local_model.cannot_convert", folder=folder.parent) from error


def _convert(file: Path, folder: Path) -> None:
    import shutil

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    part = folder.parent / f"{folder.name}.part{os.getpid()}"
    tokenizer = AutoTokenizer.from_pretrained(
        str(file.parent), gguf_file=file.name, local_files_only=True
    )
    model = AutoModelForCausalLM.from_pretrained(
        str(file.parent), gguf_file=file.name, dtype=torch.bfloat16, local_files_only=True,
        quantization_config=GgufConfig(gguf_file=file.name, dequantize=True),
    )
    # A model loaded from GGUF refuses to be saved until it forgets where it came from.
    model.hf_quantizer = None  # type: ignore[assignment]
    for name in ("is_quantized", "quantization_method"):
        model.__dict__.pop(name, None)
    if hasattr(model.config, "quantization_config"):
        delattr(model.config, "quantization_config")
    tokenizer.save_pretrained(part)
    model.save_pretrained(part)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
