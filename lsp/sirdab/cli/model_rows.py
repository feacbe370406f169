"""The rows of `sirdab model list`: what is in the stores of this machine and on its servers."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sirdab.cli.servers import OLLAMA, FoundServer
from sirdab.models import pins, speeds, store
from sirdab.models.catalog import default_model, downloadable_models, family_of, model_named
from sirdab.models.choose import choose, is_for_text, is_named
from sirdab.models.errors import ModelError, ModelMissingError
from sirdab.models.pins import Pin

if TYPE_CHECKING:
    from sirdab.config.schema import Settings
    from sirdab.endpoint.base import ServedModel
    from sirdab.models.catalog import Downloadable

_QUANTISATION = re.compile(
    r"(?:^|[-_.:])((?:UD-)?(?:I?Q\d(?:_[0-9A-Z]{1,2})*|TQ\d_\d|MXFP4|BF16|F16|F32|FP16|FP8|AWQ|GPTQ))"
    r"(?=$|[-_.])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One model in one place.

    Attributes:
        id: What it is called here: an id of the catalog, "SERVER:NAME", or the path of a file.
        title: Name for a person.
        size_bytes: Size of its weights; 0 when not known.
        licence: Licence of its weights; "" when not known.
        file: Name of its file; "" where a server keeps it.
        sha256: Digest that it has, or for a model that is not here the published one; "" when it is
            not known without reading the file.
        path: Where its file is; None when it is not here or a server keeps it.
        origin: Whose it is: "sirdab", "ollama", "hugging-face", "lm-studio", "path", or the kind of
            the server; None when it is not here.
        problem: What is wrong with it, as one sentence; None when nothing is.
        selected: Whether it is what is used now.
        quantisation: For example "Q4_K_M"; "" when not known.
        digest: The first characters of `sha256`.
        installed: Whether it can be used without a download.
        server: Address of the server that has it; None for files.
        loaded: Whether it is in memory; None when that is not known.
        fills_in: Whether it can fill in the middle.
        pinned: Digest that it is pinned to; None when it is not.
        versions: Digests of the earlier files that are kept, the newest first.
        use: What `sirdab model use` takes for it.
    """

    id: str
    title: str
    size_bytes: int
    licence: str
    file: str
    sha256: str
    path: str | None
    origin: str | None
    problem: str | None
    selected: bool
    quantisation: str
    digest: str
    installed: bool
    server: str | None
    loaded: bool | None
    fills_in: bool
    pinned: str | None
    versions: tuple[str, ...]
    use: str

    def as_dict(self) -> dict[str, Any]:
        """Return the row as it stands in the JSON report."""
        return {**asdict(self), "versions": list(self.versions)}

    @property
    def where(self) -> str:
        """Say where it is, or why it is not."""
        if self.problem:
            return self.problem
        if self.server is not None:
            return f"{self.title} at {self.server}"
        return self.path or "not on this machine"


def rows_of(settings: "Settings", servers: Iterable[FoundServer]) -> list[Row]:
    """Return all rows: the catalog's, other files of this machine, then what servers have.

    Raises:
        ModelError: The lock file cannot be understood.
    """
    known = pins.read()
    here = list(servers)
    server_in_use, chosen = _in_use(settings, here)
    of_our_own = "" if server_in_use else chosen
    loaded = _embedded_models()
    rows = [_of_catalog(model, known, of_our_own, loaded) for model in downloadable_models()]
    rows += [_of_file(*found, known, of_our_own, loaded) for found in store.other_files()]
    for server in here:
        rows += _of_server(server, known, chosen if server is server_in_use else "")
    return rows


def catalog_row(model: "Downloadable", chosen: str = "") -> Row:
    """Return the row of one model of the catalog.

    Raises:
        ModelError: The lock file cannot be understood.
    """
    return _of_catalog(model, pins.read(), chosen, _embedded_models())


def quantisation_of(name: str) -> str:
    """Return the quantisation that a model's or a file's name tells, as llama.cpp spells it."""
    match = _QUANTISATION.search(re.sub(r"\.gguf$", "", name, flags=re.IGNORECASE))
    return match[1].upper() if match else ""


def _of_catalog(model: "Downloadable", known: dict[str, Pin], chosen: str, loaded: set[str]) -> Row:
    path, origin, problem = None, None, None
    pin = known.get(model.id)
    size, digest = model.size_bytes, model.sha256
    try:
        found = store.find_model(model)
        path, origin, size = str(found.path), found.origin.value, found.size_bytes
        digest = pin.digest if pin else model.sha256
    except ModelMissingError:
        pass
    except ModelError as error:
        problem = error.message
    return Row(
        id=model.id,
        title=model.title,
        size_bytes=size,
        licence=model.licence,
        file=model.file,
        sha256=digest,
        path=path,
        origin=origin,
        problem=problem,
        # It may be chosen by the path of its file as well.
        selected=chosen in (model.id, path),
        quantisation=quantisation_of(model.file),
        digest=pins.short(digest),
        installed=path is not None,
        server=None,
        loaded=path in loaded if path else False,
        fills_in=family_of(model.id).fim is not None,
        pinned=pin.digest if pin else None,
        versions=tuple(one.digest for one in store.earlier_versions(model)),
        use=model.id,
    )


def _of_file(
    origin: store.Origin, path: Path, known: dict[str, Pin], chosen: str, loaded: set[str]
) -> Row:
    pin = known.get(str(path))
    # Reading gigabytes for a digest is left to `pin`.
    digest = store.known_digest(path)
    family = family_of(path.name)
    return Row(
        id=str(path),
        title=path.stem,
        size_bytes=_size_of(path),
        licence=family.licence if family.fim else "",
        file=path.name,
        sha256=digest,
        path=str(path),
        origin=origin.value,
        problem=_problem(pin, digest),
        selected=chosen == str(path),
        quantisation=quantisation_of(path.name),
        digest=pins.short(digest),
        installed=True,
        server=None,
        loaded=str(path) in loaded,
        fills_in=family.fim is not None,
        pinned=pin.digest if pin else None,
        versions=(),
        use=str(path),
    )


def _of_server(server: FoundServer, known: dict[str, Pin], chosen: str) -> Iterator[Row]:
    for model in server.models:
        if not is_for_text(model.name):
            continue
        name = f"{server.kind}:{model.name}"
        pin = known.get(name)
        yield Row(
            id=name,
            title=server.title,
            size_bytes=model.size_bytes,
            licence=model.licence or (model.family.licence if model.family.fim else ""),
            file="",
            sha256=model.digest,
            path=None,
            origin=server.kind,
            problem=_problem(pin, model.digest),
            selected=model.name == chosen,
            quantisation=model.quantisation or quantisation_of(model.name),
            digest=pins.short(model.digest),
            installed=True,
            server=server.url,
            loaded=model.is_loaded,
            fills_in=model.fills_in,
            pinned=pin.digest if pin else None,
            versions=(),
            use=model.name,
        )


def find_served(
    name: str, servers: Iterable[FoundServer]
) -> "tuple[FoundServer, ServedModel] | None":
    """Return the model of a server that a name means, with or without "ollama:" before it."""
    prefix, colon, rest = name.partition(":")
    for server in servers:
        for model in server.models:
            if is_named(model.name, name):
                return server, model
            if colon and prefix == server.kind and is_named(model.name, rest):
                return server, model
    return None


def ollama_of(servers: Iterable[FoundServer]) -> FoundServer | None:
    """Return the server of Ollama that is asked to download, the configured one first."""
    return next((one for one in servers if one.kind == OLLAMA and not one.problem), None)


def _embedded_models() -> set[str]:
    """Return the files that embedded servers of this user have in memory."""
    from sirdab.endpoint.managed.server import running

    return {str(server.model_path) for server in running()}


def _in_use(settings: "Settings", servers: Sequence[FoundServer]) -> tuple[FoundServer | None, str]:
    """Return the server in use, None for our own, and the name of the model in use.

    It is what `sirdab.endpoint.selection` would choose now.
    """
    from sirdab.endpoint.selection.auto import embedded_offer
    from sirdab.endpoint.selection.pinned import refusal
    from sirdab.endpoint.selection.sources import offer_of

    wanted = settings.endpoint.model
    known = speeds.read(speeds.default_path())
    for url in settings.endpoint.urls:
        is_auto = url == store.AUTO
        if is_auto and store.looks_like_path(wanted) and wanted.lower().endswith(".gguf"):
            return None, wanted
        places = [one for one in servers if not one.problem and (is_auto or one.written == url)]
        offers = [
            offer_of(place.url, place.address.host if place.address else "", model)
            for place in places
            for model in place.models
            if not refusal(place.kind, model)
        ]
        if is_auto and (ours := embedded_offer(wanted)) is not None:
            offers.insert(0 if ours.is_loaded else len(offers), ours)
        if not is_auto and len(offers) == 1:
            # It has one model, whatever that is called.
            return places[0], offers[0].model
        choice = choose(offers, known, wanted)
        if choice is not None:
            server = next((one for one in places if one.url == choice.offer.server), None)
            return server, choice.offer.model
        if is_auto:
            named = model_named(wanted) or default_model()
            return None, named.id
    return None, ""


def _problem(pin: Pin | None, digest: str) -> str | None:
    if pin is None or not digest or digest == pin.digest:
        return None
    return pins.mismatch(pin, digest).message


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
