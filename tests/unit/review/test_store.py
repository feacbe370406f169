"""Answers on disk: kept, bounded, shared, closed to others, and never in the way."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.review import store as stores
from sirdab.review.incremental import RawFinding
from sirdab.review.settled import Hint, Place, Settled, dump, load
from sirdab.review.store import ReviewStore

WORDS = st.text(st.characters(exclude_categories=()), max_size=20)
PLACES = st.builds(Place, WORDS, st.integers(0, 99), st.sampled_from(["rewrite", "verdict"]))
VERDICTS = st.lists(st.sampled_from(["upheld", "refuted", "unreadable"]), max_size=9).map(tuple)
SETTLED = st.builds(
    Settled,
    st.sampled_from(["open", "whole", "broken", "too-long", "unasked"]),
    st.lists(
        st.builds(RawFinding, st.integers(-5, 99), WORDS, WORDS, WORDS, WORDS, st.none() | WORDS),
        max_size=3,
    ).map(tuple),
    st.integers(0, 5),
    st.lists(st.tuples(PLACES, VERDICTS), max_size=4).map(tuple),
    st.lists(st.builds(Hint, st.integers(0, 99), WORDS, WORDS), max_size=4).map(tuple),
    st.booleans(),
    st.lists(st.tuples(PLACES, WORDS), max_size=4).map(tuple),
)

ONE = Settled("whole", (RawFinding(3, "x = 1", "off-by-one", "error", "It is."),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "reviews.sqlite3"


@given(SETTLED)
def test_what_is_written_is_read(known: Settled) -> None:
    text = dump(known)
    assert text.isascii()
    assert load(text) == known


@given(SETTLED, st.integers(0, 10_000), WORDS)
def test_what_is_damaged_never_raises(known: Settled, place: int, inserted: str) -> None:
    text = dump(known)
    place %= len(text)
    read = load(text[:place] + inserted + text[place + 1 :])
    assert read is None or isinstance(read, Settled)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"state": "whole"}', "[" * 100_000, dump(ONE).replace("whole", "x")],
)
def test_what_is_of_another_form_is_not_read(text: str) -> None:
    assert load(text) is None


def test_units_are_kept_by_model(path: Path) -> None:
    store = ReviewStore(path)
    assert store.last_model() == ""
    store.put("a", "unit", ONE)
    store.put("b", "unit", Settled("broken"))
    store.close()
    again = ReviewStore(path)
    assert again.get("a", ["unit", "other", "unit"]) == {"unit": ONE}
    assert again.get("b", ["unit"]) == {"unit": Settled("broken")}
    assert again.get("c", ["unit"]) == {}
    assert again.last_model() == "b"
    again.clear()
    assert again.get("a", ["unit"]) == {}
    assert again.last_model() == ""
    again.close()


def test_many_units_are_asked_for_at_once(path: Path) -> None:
    store = ReviewStore(path)
    names = [f"unit {number}" for number in range(450)]
    for name in names[::2]:
        store.put("a", name, ONE)
    assert store.get("a", names).keys() == set(names[::2])
    store.close()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_only_the_user_can_read_it(path: Path) -> None:
    store = ReviewStore(path)
    store.put("a", "unit", ONE)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    store.close()


def test_what_is_cleared_is_not_left_in_the_file(path: Path) -> None:
    store = ReviewStore(path)
    store.put("a", "unit", Settled("whole", (RawFinding(1, "hunter2" * 20, "x"),)))
    store.clear()
    store.close()
    assert b"hunter2" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no database at all" * 100,
        b"SQLite format 3\0" + b"\xff" * 5_000,
    ],
)
def test_a_file_that_is_no_database_is_replaced(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = ReviewStore(path)
    store.put("a", "unit", ONE)
    assert store.get("a", ["unit"]) == {"unit": ONE}
    store.close()


@pytest.mark.parametrize(
    "statements",
    [
        "CREATE TABLE units (something)",
        "CREATE TABLE units (something); PRAGMA user_version = 1",
        "PRAGMA user_version = 77",
        "PRAGMA user_version = 1",
    ],
)
def test_a_database_that_is_not_ours_is_replaced(path: Path, statements: str) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.executescript(statements)
    connection.close()
    store = ReviewStore(path)
    assert store.get("a", ["unit"]) == {}
    store.put("a", "unit", ONE)
    assert store.get("a", ["unit"]) == {"unit": ONE}
    store.close()


def test_rows_that_others_wrote_are_not_believed(path: Path) -> None:
    store = ReviewStore(path)
    store.put("a", "unit", ONE)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE units SET settled = x'00ff', used = 'x'")
        connection.execute("UPDATE answered SET model = x'00'")
    connection.close()
    assert store.get("a", ["unit"]) == {}
    assert store.last_model() == ""
    store.close()


def test_damage_while_it_is_open_is_found_out(path: Path) -> None:
    store = ReviewStore(path)
    for number in range(300):
        store.put("a", f"unit {number}", ONE)
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * len(content[4096:])
    path.write_bytes(content)
    store.put("a", "unit", ONE)
    assert store.get("a", ["unit", "unit 7"]) == {"unit": ONE}
    store.close()


def test_a_disk_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = ReviewStore(tmp_path / "file" / "reviews.sqlite3")
    store.put("a", "unit", ONE)
    assert store.get("a", ["unit"]) == {}
    assert store.last_model() == ""
    store.clear()
    store.close()


def test_the_oldest_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MAX_UNITS", 10)
    monkeypatch.setattr(stores, "_COUNTED_EVERY", 1)
    now = 0.0
    store = ReviewStore(path, clock=lambda: now)
    for number in range(30):
        now += 7 * 24 * 3600
        store.put("a", f"unit {number}", ONE)
        # What is still used stays, however old it is.
        assert store.get("a", ["unit 0"]) == {"unit 0": ONE}
    kept = store.get("a", [f"unit {number}" for number in range(30)])
    assert kept.keys() == {"unit 0", *(f"unit {number}" for number in range(21, 30))}
    store.close()


def test_a_full_database_makes_room(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "_MOST_BYTES", 256 * 1024)
    store = ReviewStore(path)
    large = Settled("whole", (RawFinding(1, "x" * 1_900, "r", "", "y" * 1_900),) * 3)
    for number in range(100):
        store.put("a", f"unit {number}", large)
    assert store.get("a", ["unit 99"]) == {"unit 99": large}
    assert path.stat().st_size <= 256 * 1024
    store.close()


_WRITER = """
import sys
from pathlib import Path
from sirdab.review.settled import Settled
from sirdab.review.store import ReviewStore
store = ReviewStore(Path(sys.argv[1]))
for number in range(100):
    store.put("a", f"{sys.argv[2]} {number}", Settled("whole"))
    assert store.get("a", [f"{sys.argv[2]} {number}"])
store.close()
"""


def test_several_processes_write_at_once(path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name]) for name in "abc"]
    try:
        assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    store = ReviewStore(path)
    names = [f"{name} {number}" for name in "abc" for number in range(100)]
    assert store.get("a", names).keys() == set(names)
    store.close()


def test_a_place_that_cannot_be_written_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    store = ReviewStore(tmp_path / "file" / "reviews.sqlite3")
    for _ in range(3):
        store.put("model", "unit", Settled("whole"))
        assert store.get("model", ["unit"]) == {}
    warnings = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert len(warnings) == 1
    assert str(tmp_path / "file") in warnings[0]
    assert "SIRDAB_REVIEWS_DIR" in warnings[0]


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is POSIX's")
@pytest.mark.parametrize("size", [0, 2_000, 9_000, 30_000, 60_000])
def test_a_full_disk_costs_only_the_memory(tmp_path: Path, size: int) -> None:
    path = tmp_path / "reviews" / "reviews.sqlite3"
    program = f"""
import resource, signal
from pathlib import Path
from sirdab.review.settled import Settled
from sirdab.review.store import ReviewStore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
store = ReviewStore(Path({str(path)!r}))
for number in range(300):
    store.put("model", str(number), Settled("whole"))
    store.get("model", [str(number)])
store.close()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    # When there is room again, it is written to as ever.
    store = ReviewStore(path)
    store.put("model", "unit", Settled("whole"))
    assert store.get("model", ["unit"]) == {"unit": Settled("whole")}
    store.close()
