"""Which files are read because they lie near an open document."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.config.schema import PrivacySettings, Settings
from sirdab.context.neighbours import MOST_FILES, Neighbours
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text


def request_in(
    root: Path, name: str, *, language: str = "python", exclude: tuple[str, ...] = ()
) -> CompletionRequest:
    snapshot = Snapshot((root / name).as_uri(), language, 1, Text("x = 1\n"))
    settings = Settings(privacy=PrivacySettings(exclude=exclude))
    return CompletionRequest(
        snapshot, Point(0, 0), Trigger.INVOKED, settings, workspace_folders=(str(root),)
    )


def write(root: Path, names: Sequence[str]) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("files", "document", "expected"),
    [
        pytest.param(["a.py", "b.py", "c.py"], "a.py", ["b.py", "c.py"], id="beside it"),
        pytest.param(["a.py", "b.lua", "c.txt"], "a.py", [], id="other languages are not"),
        pytest.param(["d/a.py", "b.py", "d/z.py"], "d/a.py", ["d/z.py", "b.py"], id="above"),
        pytest.param(["a.py", "d/b.py", "z.py"], "a.py", ["z.py", "d/b.py"], id="below"),
        pytest.param(["a.py", "x/y/b.py"], "a.py", [], id="not two levels below"),
        pytest.param(["a.py", "node_modules/b.py", "venv/c.py"], "a.py", [], id="foreign folders"),
        pytest.param(["venv/a.py", "venv/b.py"], "venv/a.py", [], id="from a foreign folder"),
        pytest.param(["a.py", ".hidden.py", ".d/b.py"], "a.py", [], id="hidden ones are not"),
        pytest.param(["a.py", "secrets/b.py", "secrets.py"], "a.py", [], id="built-in exclusions"),
    ],
)
def test_the_nearest_files_of_the_language(
    tmp_path: Path, files: list[str], document: str, expected: list[str]
) -> None:
    write(tmp_path, files)
    found = Neighbours().of(request_in(tmp_path, document))
    assert [one.uri for one in found] == [(tmp_path / name).as_uri() for name in expected]
    assert [str(one.text) for one in found] == [f"# {name}\n" for name in expected]


def test_only_so_many(tmp_path: Path) -> None:
    write(tmp_path, [f"f{number:02}.py" for number in range(MOST_FILES + 5)])
    assert len(Neighbours().of(request_in(tmp_path, "f00.py"))) == MOST_FILES


def test_excluded_and_ignored_files_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, ["a.py", "b.py", "c.py", "d.py"])
    (tmp_path / ".aiignore").write_text("c.py\n", encoding="utf-8")
    found = Neighbours().of(request_in(tmp_path, "a.py", exclude=("b.py",)))
    assert [one.uri for one in found] == [(tmp_path / "d.py").as_uri()]


def test_nothing_outside_of_the_workspace_or_in_one_that_is_not_trusted(tmp_path: Path) -> None:
    write(tmp_path, ["in/a.py", "in/b.py", "out/a.py", "out/b.py"])
    outside = request_in(tmp_path / "in", "../out/a.py")
    assert Neighbours().of(outside) == ()
    untrusted = replace(request_in(tmp_path / "in", "a.py"), trusted=False)
    assert Neighbours().of(untrusted) == ()
    assert Neighbours().of(replace(outside, workspace_folders=())) == ()
    # The folder above the workspace is not looked at.
    assert len(Neighbours().of(request_in(tmp_path / "in", "a.py"))) == 1


def test_a_document_without_a_file_has_none(tmp_path: Path) -> None:
    write(tmp_path, ["a.py"])
    request = request_in(tmp_path, "a.py")
    untitled = replace(request, snapshot=Snapshot("untitled:Untitled-1", "python", 1, Text("")))
    assert Neighbours().of(untitled) == ()


def test_what_has_not_changed_is_the_same_and_what_has_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, ["a.py", "b.py", "c.py"])
    neighbours = Neighbours()
    request = request_in(tmp_path, "a.py")
    first = neighbours.of(request)
    (tmp_path / "c.py").write_text("changed = True\n", encoding="utf-8")
    os.utime(tmp_path / "c.py", ns=(1, 1))
    second = neighbours.of(request)
    assert second[0] is first[0]
    assert str(second[1].text) == "changed = True\n"
    (tmp_path / "b.py").unlink()
    assert [one.uri for one in neighbours.of(request)] == [(tmp_path / "c.py").as_uri()]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_odd_files_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, ["a.py", "z.py"])
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "binary.py").write_bytes(b"\x00\x01" * 100)
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "z.py")
    (tmp_path / "large.py").write_text("x = 1\n" * 400_000, encoding="utf-8")
    found = Neighbours().of(request_in(tmp_path, "a.py"))
    assert [one.uri for one in found] == [(tmp_path / "z.py").as_uri()]
