"""Finds model files on this machine and makes sure they are what they claim to be.

A model from the catalog is looked for in our own store and in the stores of Ollama, Hugging
Face's hub client and LM Studio; a file found there is used where it lies and never copied. It
is trusted because its SHA-256 is the published one, whatever it is called. A digest is
computed once: the result is remembered with the file's size and modification time.

A model that the user has pinned must be the pinned file. What a newer file has replaced is kept
(`sirdab.models.versions`), and going back to it is a pin of its digest.

Layouts of the other stores:

- Ollama: `MODELS/blobs/sha256-DIGEST`; MODELS is `$OLLAMA_MODELS`, `~/.ollama/models`, or for
  the Linux service `/usr/share/ollama/.ollama/models` (Ollama's FAQ, "Where are models stored?").
- Hugging Face: `HUB/models--OWNER--NAME/blobs/DIGEST`, which `snapshots/REVISION/FILE` links to,
  or the file itself there where links cannot be made (huggingface_hub, "Understand caching").
- LM Studio: `MODELS/PUBLISHER/REPOSITORY/FILE.gguf` (LM Studio, "Import Models").
"""

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from sirdab.config.directories import cache_directory
from sirdab.models import fitness, journal, pins, speeds, versions
from sirdab.models.catalog import (
    Downloadable,
    HuggingFaceSource,
    default_model,
    downloadable_models,
    family_of,
    model_named,
    suggestion_for,
)
from sirdab.models.errors import ModelError, ModelMissingError
from sirdab.models.gguf import GgufHeader, read_header
from sirdab.models.pins import Pin, PinnedError

AUTO = "auto"
"""The model name that leaves the choice to Sirdab."""

_READ_BYTES = 1 << 20
_REMEMBERED_FILES = 64
_MOST_OTHERS = 500


class Origin(StrEnum):
    """Whose file a model is."""

    PATH = "path"
    SIRDAB = "sirdab"
    OLLAMA = "ollama"
    HUGGING_FACE = "hugging-face"
    LM_STUDIO = "lm-studio"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file that was verified and can be given to the engine.

    Attributes:
        path: Absolute path.
        name: Name to show, and to look up the family by.
        size_bytes: Size of the file.
        origin: Whose it is.
        kv_bytes_per_token: Size of the key-value cache for one token, in bytes; 0 if unknown.
        context_tokens: Tokens the model was trained to hold; 0 if unknown.
        reason: Why "auto" means this one, as one sentence; "" when it was named or there was
            nothing to choose by.
    """

    path: Path
    name: str
    size_bytes: int
    origin: Origin
    kv_bytes_per_token: int
    context_tokens: int
    reason: str = ""


def store_directory() -> Path:
    """Return the directory of our own model files, whether or not it exists."""
    return cache_directory() / "models"


def find(name: str) -> ModelFile:
    """Return the verified file of a model.

    Args:
        name: "auto", a name of the catalog, or the absolute path of a GGUF file ("~" is the
            home directory). A relative path is refused, because a language server's current
            directory belongs to the workspace.

    Raises:
        ModelMissingError: The model is known and not on this machine.
        ModelError: The name means nothing, or the file is damaged or no model.
    """
    if looks_like_path(name):
        return _from_path(name)
    if name == AUTO:
        return _preferred()
    model = model_named(name)
    if model is None:
        raise ModelError(f'There is no model "{name}"; {suggestion_for(name)}')
    return find_model(model)


def find_model(model: Downloadable) -> ModelFile:
    """Return the verified file of a model of the catalog.

    Raises:
        ModelMissingError: It is not on this machine.
        PinnedError: It is, but not the file that the user pinned it to.
        ModelError: The only files found are damaged.
    """
    pin = pins.pin_of(model.id)
    wanted = _pinned(model, pin)
    damage: ModelError | None = None
    for origin, path in candidates(wanted):
        try:
            verify(path, wanted)
        except ModelError as error:
            damage = damage or error
            continue
        return ModelFile(path, model.id, wanted.size_bytes, origin, model.kv_bytes_per_token, 0)
    if pin is not None and wanted != model:
        raise _not_the_pinned(model, pin)
    if damage is not None:
        raise _earlier_version(model) or damage
    raise ModelMissingError(
        f"Model {model.id} is not on this machine ({megabytes(model.size_bytes)}); "
        f"run: sirdab model pull {model.id}"
    )


def candidates(model: Downloadable) -> Iterator[tuple[Origin, Path]]:
    """Yield the files that may be a model, the preferred ones first; they exist, no more."""
    places: tuple[tuple[Origin, Callable[[Downloadable], Iterator[Path]]], ...] = (
        (Origin.SIRDAB, _in_our_own),
        (Origin.OLLAMA, _in_ollama),
        (Origin.HUGGING_FACE, _in_hugging_face),
        (Origin.LM_STUDIO, _in_lm_studio),
    )
    for origin, paths in places:
        # A store of another program that cannot be read holds nothing for us.
        with contextlib.suppress(OSError):
            for path in paths(model):
                if path.is_file():
                    yield origin, path


def other_files() -> Iterator[tuple[Origin, Path]]:
    """Yield GGUF files that no model of the catalog is: the user's own in our store, then others'.

    They are named by their paths, and a file in several stores comes more than once.
    """
    known = {model.file for model in downloadable_models()}
    places: tuple[tuple[Origin, Iterator[Path]], ...] = (
        (Origin.SIRDAB, store_directory().glob("*.gguf")),
        (Origin.LM_STUDIO, _lm_studio_files()),
        (Origin.HUGGING_FACE, _hugging_face_hub().glob("models--*/snapshots/*/*.gguf")),
    )
    for origin, paths in places:
        with contextlib.suppress(OSError):
            for path in sorted(paths)[:_MOST_OTHERS]:
                if path.name.lower() not in known and path.is_file():
                    yield origin, path


def verify(path: Path, model: Downloadable) -> None:
    """Make sure that a file is a model of the catalog, byte for byte.

    Raises:
        ModelError: It is not, or it cannot be read.
    """
    try:
        size = path.stat().st_size
        if size < model.size_bytes:
            raise ModelError(
                f"{path} is incomplete ({size:,} of {model.size_bytes:,} bytes); {_again(model)}"
            )
        if size == model.size_bytes and digest_of(path) == model.sha256:
            return
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    raise ModelError(
        f"{path} is damaged or is not {model.title}: its SHA-256 is not the published one; "
        f"{_again(model)}"
    )


def adopt(part: Path, model: Downloadable) -> Path:
    """Move a complete download into our store, after making sure that it is the model.

    Args:
        part: The downloaded file, in the store's directory.
        model: What it should be.

    Returns:
        The path of the model file.

    Raises:
        ModelError: It is something else; the file is left where it is.
        OSError: It cannot be moved.
    """
    verify(part, model)
    stamp = part.stat()
    path = store_directory() / model.file
    keep_version(model)
    part.replace(path)
    _remember(
        str(path.resolve()),
        {"size": stamp.st_size, "mtime_ns": stamp.st_mtime_ns, "sha256": model.sha256},
    )
    return path


def previous_directory() -> Path:
    """Return the directory of the files that newer ones have replaced."""
    return store_directory() / "previous"


def keep_version(model: Downloadable) -> None:
    """Move the file of a model out of the way of a newer one, if it is worth keeping.

    Raises:
        OSError: It cannot be moved.
    """
    path = store_directory() / model.file
    try:
        if not path.is_file() or read_header(path).kind != "model":
            return
        digest = digest_of(path)
    except (ModelError, OSError):
        # What is damaged is overwritten.
        return
    if digest == model.sha256:
        return
    spare = ""
    with contextlib.suppress(ModelError):
        pin = pins.pin_of(model.id)
        spare = pin.digest if pin else ""
    versions.keep(path, previous_directory(), model.id, digest, spare=spare)


def earlier_versions(model: Downloadable) -> list[versions.Version]:
    """Return the files of a model that newer ones have replaced, the newest first."""
    return versions.kept(previous_directory(), model.id)


def known_digest(path: Path) -> str:
    """Return the SHA-256 of a file as far as it was computed before; "" when it was not."""
    try:
        status = path.stat()
        entry = _remembered().get(str(path.resolve()))
    except OSError:
        return ""
    stamp = {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
    if entry is None or {name: entry.get(name) for name in stamp} != stamp:
        return ""
    return str(entry.get("sha256", ""))


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, computing it only when the file changed since the last time.

    Raises:
        OSError: The file cannot be read.
    """
    before = path.stat()
    key = str(path.resolve())
    stamp = {"size": before.st_size, "mtime_ns": before.st_mtime_ns}
    known = known_digest(path)
    if known:
        return known
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            digest.update(data)
    after = path.stat()
    if (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
        _remember(key, {**stamp, "sha256": digest.hexdigest()})
    return digest.hexdigest()


def megabytes(count: int) -> str:
    """Return a size in bytes in words, for example "491 MB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def is_file(path: Path) -> bool:
    """Whether a file is there; False also where that cannot be found out."""
    try:
        return path.is_file()
    except OSError:
        return False


def looks_like_path(name: str) -> bool:
    """Whether a model name is meant as the path of a file."""
    return (
        "/" in name
        or "\\" in name
        or name.startswith("~")
        or (name.lower().endswith(".gguf") and model_named(name) is None)
    )


def _again(model: Downloadable) -> str:
    return f"run: sirdab model pull {model.id}"


def _pinned(model: Downloadable, pin: Pin | None) -> Downloadable:
    """Return a model of the catalog as the file that it is pinned to."""
    if pin is None or pin.digest == model.sha256:
        return model
    return replace(model, sha256=pin.digest, size_bytes=pin.size_bytes or model.size_bytes)


def _not_the_pinned(model: Downloadable, pin: Pin) -> PinnedError:
    path = store_directory() / model.file
    with contextlib.suppress(OSError):
        if path.is_file():
            return pins.mismatch(pin, digest_of(path))
    return PinnedError(
        f"Model {model.id} is pinned to {pins.short(pin.digest)}, which is not on this machine; "
        f"bring that file back, or run: sirdab model pin {model.id} --remove"
    )


def _earlier_version(model: Downloadable) -> ModelError | None:
    """Say that a file that was good once is one that has been replaced where it was published."""
    path = store_directory() / model.file
    try:
        digest = digest_of(path)
        known = {entry.digest for entry in journal.read() if entry.model == model.id}
    except OSError:
        return None
    if digest not in known:
        return None
    return ModelError(
        f"{path} is an earlier version of {model.id} ({pins.short(digest)}); {_again(model)}"
        f" (or, to stay with it: sirdab model pin {model.id}@{pins.short(digest)})"
    )


def _preferred() -> ModelFile:
    """Return the model that suits this machine best, of those of the catalog that are here."""
    known = speeds.read(speeds.default_path())
    # Only the one that is chosen is read through.
    installed = [model for model in downloadable_models() if any(candidates(model))]
    problem: ModelError | None = None
    while installed:
        choice = fitness.choose(installed, default_model(), known)
        try:
            return replace(find_model(choice.model), reason=choice.reason)
        except PinnedError:
            # Another model in its place is not what was meant by a pin.
            raise
        except ModelError as error:
            problem = problem or error
            installed.remove(choice.model)
    if problem is not None:
        raise problem
    return find_model(default_model())


def _from_path(name: str) -> ModelFile:
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        path = Path(name)
    if not path.is_absolute():
        raise ModelError(
            f'The model file "{name}" is a relative path; give the whole path, from the root.'
        )
    try:
        # A folder that may not be looked into, or a name of thousands of letters, is an error here.
        is_file = path.is_file()
        status = path.stat() if is_file else None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    if status is None:
        raise ModelError(f"There is no model file {path}; check endpoint.model.")
    pin = pins.pin_of(str(path))
    if pin is not None:
        _check_pinned_file(path, pin)
    header = _header(path, status.st_size, status.st_mtime_ns)
    if header.kind != "model":
        raise ModelError(
            f"{path} is a GGUF file of another kind ({header.kind}), not a model; "
            "choose another file."
        )
    return ModelFile(
        path=path,
        # A blob of another store is named by its digest; then the header knows better.
        name=path.stem if family_of(path.name).fim else (header.name or path.stem),
        size_bytes=status.st_size,
        origin=Origin.PATH,
        kv_bytes_per_token=header.kv_bytes_per_token,
        context_tokens=header.context_tokens,
    )


def _check_pinned_file(path: Path, pin: Pin) -> None:
    try:
        digest = digest_of(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    if digest != pin.digest:
        raise pins.mismatch(pin, digest)


def _in_our_own(model: Downloadable) -> Iterator[Path]:
    yield store_directory() / model.file
    # The pinned version may be one that a newer file has replaced.
    yield versions.place(previous_directory(), model.id, model.sha256)


@lru_cache(maxsize=16)
def _header(path: Path, size: int, mtime_ns: int) -> GgufHeader:
    """Read a header once for each state of a file: its vocabulary is long to walk through."""
    del size, mtime_ns
    return read_header(path)


def _in_ollama(model: Downloadable) -> Iterator[Path]:
    roots = [Path.home() / ".ollama" / "models"]
    if sys.platform.startswith("linux"):
        roots.append(Path("/usr/share/ollama/.ollama/models"))
    named = os.environ.get("OLLAMA_MODELS")
    if named:
        roots.insert(0, Path(named).expanduser())
    for root in roots:
        yield root / "blobs" / f"sha256-{model.sha256}"


def _in_hugging_face(model: Downloadable) -> Iterator[Path]:
    hub = _hugging_face_hub()
    own = [
        hub / f"models--{source.repo.replace('/', '--')}"
        for source in model.sources
        if isinstance(source, HuggingFaceSource)
    ]
    others = [path for path in sorted(hub.glob("models--*")) if path not in own]
    for repository in (*own, *others):
        yield repository / "blobs" / model.sha256
    for repository in own:
        yield from sorted(repository.glob(f"snapshots/*/{model.file}"))


def _hugging_face_hub() -> Path:
    hub = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if hub:
        return Path(hub).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser() / "hub"
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "huggingface" / "hub"


def _in_lm_studio(model: Downloadable) -> Iterator[Path]:
    for path in _lm_studio_files():
        # Many quantisations share a name; the size tells most of them apart without
        # reading half a gigabyte.
        if path.name.lower() == model.file and path.stat().st_size == model.size_bytes:
            yield path


def _lm_studio_files() -> Iterator[Path]:
    home = Path.home()
    for root in (home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"):
        yield from (path for path in sorted(root.glob("*/*/*")) if path.suffix.lower() == ".gguf")


def _memory_path() -> Path:
    return store_directory() / "verified.json"


def _remembered() -> dict[str, dict[str, Any]]:
    try:
        tree: Any = json.loads(_memory_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(tree, dict):
        return {}
    entries = cast("dict[str, Any]", tree)
    return {
        key: cast("dict[str, Any]", value)
        for key, value in entries.items()
        if isinstance(value, dict)
    }


def _remember(key: str, entry: dict[str, Any]) -> None:
    """Add an entry; what cannot be written is computed again the next time."""
    with contextlib.suppress(OSError):
        known = {path: value for path, value in _remembered().items() if Path(path).exists()}
        known.pop(key, None)
        kept = dict(list(known.items())[-(_REMEMBERED_FILES - 1) :])
        path = _memory_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(f"{path.name}.{os.getpid()}")
        written.write_text(json.dumps({**kept, key: entry}, indent=1), encoding="utf-8")
        written.replace(path)
