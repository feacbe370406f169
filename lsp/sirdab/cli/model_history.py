"""`sirdab model pin`, `rollback` and `log`: which file a name means, and what was changed when."""

from datetime import datetime
from pathlib import Path

import click

from sirdab.cli import runtime
from sirdab.cli.model_names import Meant, catalog_model, meant_by, name_in_use
from sirdab.models import journal, pins, store
from sirdab.models.catalog import Downloadable
from sirdab.models.errors import ModelError
from sirdab.models.gguf import read_header
from sirdab.models.pins import Pin

# What is read within a second also from a slow disk.
_QUICK_BYTES = 64 << 20


@click.command(
    "pin",
    epilog="Example: sirdab model pin qwen2.5-coder-0.5b",
    short_help="Keep a model at the file it is now.",
)
@click.argument("name", metavar="[NAME[@DIGEST]]", required=False)
@click.option("--remove", is_flag=True, help="Let the model be any published file again.")
def pin(name: str | None, remove: bool) -> None:
    """Write the SHA-256 of the model NAME, the one in use when none is named, into models.lock.

    A pinned model that is another file later is not used: the embedded engine refuses it, and
    "sirdab doctor" says so. With DIGEST, or the beginning of it, an earlier file that is kept can
    be meant. The lock file lies beside the configuration file.
    """
    written, beginning = _split(name) if name else (_in_use(), None)
    try:
        if remove:
            _unpin(_key_of(written))
            return
        meant = meant_by(written)
        found = _file_of(meant, beginning)
        pins.set_pin(found)
    except ModelError as error:
        raise click.ClickException(error.message) from error
    _record("pin", found)
    click.echo(f"{found.model} is pinned to {found.digest} in {pins.default_path()}.")


@click.command(
    "rollback",
    epilog="Example: sirdab model rollback qwen2.5-coder-0.5b",
    short_help="Go back to the file that a model was before.",
)
@click.argument("name", metavar="[NAME]", required=False)
def rollback(name: str | None) -> None:
    """Use the file that the model NAME was before the last pull, and pin it.

    A pull keeps the files that it replaces, the last two of each model. Only models of our own
    store have earlier files: servers keep none.
    """
    model = _of_our_own(name or _in_use())
    try:
        here = _files_here(model)
        found = pins.pin_of(model.id)
        now = found.digest if found else (here[0].digest if here else "")
        order = [one.digest for one in here]
        place = order.index(now) if now in order else -1
        if place + 1 >= len(here):
            raise click.ClickException(
                f"No file of {model.id} is kept from before; a pull keeps those that it replaces."
            )
        before = here[place + 1]
        _require_intact(before)
        pins.set_pin(Pin(model.id, before.digest, before.size_bytes, store.Origin.SIRDAB.value))
    except ModelError as error:
        raise click.ClickException(error.message) from error
    _record("rollback", Pin(model.id, before.digest, before.size_bytes, str(before.path)))
    click.echo(
        f"{model.id} is now {pins.short(before.digest)} "
        f"({store.megabytes(before.size_bytes)}) instead of {pins.short(now)}, and pinned to it."
    )
    click.echo(f"To use the published file again, run: sirdab model pin {model.id} --remove")


@click.command(
    "log", epilog="Example: sirdab model log --json", short_help="Print what was changed when."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def log(as_json: bool) -> None:
    """Print every pull, use, pin, rollback and removal of a model, the oldest first."""
    path = journal.default_path()
    try:
        entries = journal.read()
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror or error}.") from error
    if as_json:
        runtime.echo_json(
            [
                {
                    "time": entry.time,
                    "action": entry.action,
                    "model": entry.model,
                    "digest": entry.digest,
                    "size_bytes": entry.size_bytes,
                    "source": entry.source,
                }
                for entry in entries
            ]
        )
        return
    if not entries:
        click.echo(f"No change of a model was recorded yet in {path}.")
    for entry in entries:
        size = store.megabytes(entry.size_bytes) if entry.size_bytes else ""
        parts = (
            _local(entry.time),
            f"{entry.action:<8}",
            entry.model,
            pins.short(entry.digest),
            size,
            f"({entry.source})" if entry.source else "",
        )
        click.echo("  ".join(part for part in parts if part))


def _split(text: str) -> tuple[str, str | None]:
    """Take NAME@DIGEST apart. A path may hold "@" too, and no digest holds a slash or a dot."""
    name, at, digest = text.rpartition("@")
    if not at or not name or any(sign in digest for sign in "/\\."):
        return text, None
    beginning = pins.beginning(digest)
    if beginning is None:
        raise click.UsageError(
            f'"{digest}" is not a digest; write 8 to 64 hexadecimal digits after the @.'
        )
    return name, beginning


def _in_use() -> str:
    settings, _ = runtime.user_settings()
    return name_in_use(settings)


def _key_of(name: str) -> str:
    """Return the name of a pin, for a model that need not be here any more."""
    return name if pins.pin_of(name) is not None else meant_by(name).key


def _unpin(key: str) -> None:
    if not pins.remove_pin(key):
        raise click.ClickException(f"{key} is not pinned.")
    journal.record("unpin", key)
    click.echo(f"{key} is no longer pinned.")


def _file_of(meant: Meant, beginning: str | None) -> Pin:
    """Return the file that is to be pinned.

    Raises:
        click.ClickException: There is none, or its digest is not known.
        ModelError: The file is damaged.
    """
    if meant.downloadable is not None:
        here = _files_here(meant.downloadable)
    elif meant.path is not None:
        here = [_File(meant.path, _digest_of(meant.path), meant.path.stat().st_size)]
    else:
        here = []
        if meant.served is not None and meant.served[1].digest:
            server, model = meant.served
            here = [_File(Path(server.kind), model.digest, model.size_bytes)]
    if not here:
        why = "does not tell its digest" if meant.served else "is not on this machine"
        raise click.ClickException(f"{meant.key} {why}, so it cannot be pinned.")
    fitting = [one for one in here if one.digest.startswith(beginning or "")]
    if not fitting:
        known = ", ".join(pins.short(one.digest) for one in here)
        raise click.ClickException(
            f"No file of {meant.key} begins with {beginning}; what is here: {known}."
        )
    first = fitting[0]
    source = meant.served[0].kind if meant.served else first.origin
    return Pin(meant.key, first.digest, first.size_bytes, source)


class _File:
    """A file of a model, by its digest."""

    def __init__(self, path: Path, digest: str, size_bytes: int, origin: str = "path") -> None:
        self.path = path
        self.digest = digest
        self.size_bytes = size_bytes
        self.origin = origin


def _files_here(model: Downloadable) -> list[_File]:
    """Return the files that a model of the catalog is and was here, the newest first.

    Raises:
        ModelError: One cannot be read.
    """
    found: list[_File] = []
    own = store.store_directory() / model.file
    for origin, path in store.candidates(model):
        if origin is store.Origin.SIRDAB and path != own:
            continue  # It comes with the earlier versions.
        if path == own:
            # Another version than the published one is good as well, if it is a model at all.
            read_header(path)
        else:
            store.verify(path, model)
        found.append(_File(path, _digest_of(path), path.stat().st_size, origin.value))
    sirdab = store.Origin.SIRDAB.value
    found += [
        _File(one.path, one.digest, one.size_bytes, sirdab) for one in store.earlier_versions(model)
    ]
    return list({one.digest: one for one in reversed(found)}.values())[::-1]


def _require_intact(file: _File) -> None:
    if _digest_of(file.path) != file.digest:
        raise click.ClickException(
            f"{file.path} is damaged: its SHA-256 is not the one in its name; delete it."
        )


def _digest_of(path: Path) -> str:
    try:
        if path.stat().st_size > _QUICK_BYTES and not store.known_digest(path):
            click.echo(f"Reading {path} for its SHA-256.", err=True)
        return store.digest_of(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error


def _of_our_own(name: str) -> Downloadable:
    try:
        return catalog_model(name)
    except click.UsageError:
        meant = meant_by(name)
        raise click.ClickException(
            f"{meant.key} is not in Sirdab's own store, so no file from before is kept."
        ) from None


def _record(action: journal.Action, pin: Pin) -> None:
    journal.record(
        action, pin.model, digest=pin.digest, size_bytes=pin.size_bytes, source=pin.source
    )


def _local(time: str) -> str:
    try:
        return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return time
