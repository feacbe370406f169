"""What has changed since a commit, in real repositories."""

import os
import sys
from pathlib import Path

import pytest

from sirdab.config.schema import Settings
from sirdab.review.changes import changed_sources, staged_sources
from sirdab.review.gates import Gates
from sirdab.review.git import GitError
from sirdab.review.sources import Source
from tests.support.git import commit, git, needs_git, repository, write

pytestmark = needs_git

ONE = "def one():\n    return 1\n"
TWO = "\n\ndef two():\n    return 2\n"
FILE = ONE + TWO


def changed(*paths: Path, revision: str = "") -> dict[str, Source]:
    found = changed_sources(paths, Settings(), Gates(), revision)
    return {source.named.name: source for source in found.sources}


def staged(*paths: Path) -> dict[str, Source]:
    return {s.named.name: s for s in staged_sources(paths, Settings(), Gates()).sources}


def lines(found: dict[str, Source]) -> dict[str, object]:
    return {name: source.lines for name, source in found.items()}


def test_staged_unstaged_and_untracked_changes_count_alike(tmp_path: Path) -> None:
    names = ("same.py", "staged.py", "unstaged.py", "both.py", "gone.py")
    root = repository(tmp_path / "p", dict.fromkeys(names, FILE))
    write(root, {"staged.py": FILE.replace("1", "7"), "both.py": FILE.replace("1", "7")})
    git(root, "add", "--all")
    write(root, {"unstaged.py": FILE.replace("2", "7"), "new.py": FILE})
    write(root, {"both.py": FILE.replace("1", "7").replace("2", "8")})
    (root / "gone.py").unlink()
    assert lines(changed(root)) == {
        "staged.py": ((1, 1),),
        "unstaged.py": ((5, 5),),
        "both.py": ((1, 1), (5, 5)),
        "new.py": None,
    }


def test_only_units_with_changes_are_wanted(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {"a.py": FILE})
    write(root, {"a.py": FILE.replace("2", "7")})
    source = changed(root)["a.py"]
    assert not source.wants(0, 1)
    assert source.wants(4, 5)
    # What was taken out of a function changes it as well.
    write(root, {"a.py": FILE.replace("    return 1\n", "")})
    assert changed(root)["a.py"].wants(0, 0)


def test_what_a_file_was_changed_to_and_back_is_no_change(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {"a.py": FILE})
    os.utime(root / "a.py", (1, 1))
    assert changed(root) == {}
    # Nor is another kind of line end, as Git checks it out on Windows.
    write(root, {"a.py": FILE.replace("\n", "\r\n")})
    assert changed(root) == {}


def test_a_renamed_file_is_compared_with_what_it_was(tmp_path: Path) -> None:
    long = "".join(f"def f{n}():\n    return {n}\n" for n in range(20))
    root = repository(tmp_path / "p", {"old.py": long})
    git(root, "mv", "old.py", "new.py")
    assert changed(root) == {}
    write(root, {"new.py": long.replace("return 7", "return 8")})
    assert lines(changed(root)) == {"new.py": ((15, 15),)}
    git(root, "add", "--all")
    assert lines(staged(root)) == {"new.py": ((15, 15),)}


def test_since_a_branch_was_left(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {"a.py": FILE, "b.py": FILE})
    git(root, "checkout", "--quiet", "-b", "topic")
    commit(root, {"a.py": FILE.replace("1", "7")})
    git(root, "checkout", "--quiet", "main")
    commit(root, {"b.py": FILE.replace("1", "7")})
    git(root, "checkout", "--quiet", "topic")
    write(root, {"a.py": FILE.replace("1", "7").replace("2", "8")})
    # What main has done since is not this branch's.
    assert lines(changed(root, revision="main")) == {"a.py": ((1, 1), (5, 5))}
    assert lines(changed(root)) == {"a.py": ((5, 5),)}
    git(root, "checkout", "--quiet", "--detach")
    assert lines(changed(root, revision="main")) == {"a.py": ((1, 1), (5, 5))}


def test_before_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    root = repository(tmp_path / "p")
    write(root, {"a.py": FILE, "b.py": FILE})
    git(root, "add", "a.py")
    assert lines(changed(root)) == {"a.py": None, "b.py": None}
    assert lines(staged(root)) == {"a.py": None}


def test_what_is_staged_is_reviewed_as_it_is_staged(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {"a.py": FILE, "b.py": FILE, "c.txt": "x", "d.py": FILE})
    write(root, {"a.py": FILE.replace("1", "7"), "c.txt": "y", "d.py": FILE.replace("2", "8")})
    git(root, "add", "a.py", "c.txt", "d.py")
    write(root, {"a.py": "nothing of it\n", "b.py": FILE.replace("1", "7"), "new.py": FILE})
    (root / "d.py").unlink()
    found = staged(root)
    assert lines(found) == {"a.py": ((1, 1),), "d.py": ((5, 5),)}
    snapshot = found["a.py"].read()
    assert not isinstance(snapshot, str)
    assert str(snapshot.text) == FILE.replace("1", "7")
    assert snapshot.uri == (root / "a.py").as_uri()
    assert snapshot.language_id == "python"


def test_only_what_is_named_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "p", {"src/a.py": FILE, "lib/b.py": FILE})
    write(root, {"src/a.py": FILE.replace("1", "7"), "lib/b.py": FILE.replace("1", "7")})
    assert set(changed(root / "src")) == {"a.py"}
    git(root, "add", "--all")
    assert set(staged(root / "src")) == {"a.py"}
    assert set(staged(root / "lib" / "b.py")) == {"b.py"}
    monkeypatch.chdir(root / "lib")
    assert [str(s.named) for s in staged(Path()).values()] == ["b.py"]
    assert [str(s.named) for s in changed(Path()).values()] == ["b.py"]
    assert [str(s.named) for s in staged(Path("../src/a.py")).values()] == ["../src/a.py"]


def test_what_is_excluded_is_left_out(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {"a.py": FILE, "secrets/b.py": FILE, "c.py": FILE})
    new = FILE.replace("1", "7")
    write(root, {".gitignore": "build/\n", "build/x.py": FILE, ".aiignore": "c.py\n"})
    write(root, {"a.py": new, "secrets/b.py": new, "c.py": new})
    assert set(changed(root)) == {"a.py"}
    git(root, "add", "--all")
    assert set(staged(root)) == {"a.py"}


@pytest.mark.parametrize(
    "name", ["a b.py", " x .py", "tab\there.py", "new\nline.py", '"q"\\.py', "ü漢.py", "-x.py"]
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_odd_names(name: str, tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {name: FILE})
    write(root, {name: FILE.replace("1", "7")})
    assert lines(changed(root)) == {name: ((1, 1),)}
    git(root, "add", "--all")
    assert lines(staged(root)) == {name: ((1, 1),)}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.py")
    root = repository(tmp_path / "p", {name: FILE})
    write(root, {name: FILE.replace("1", "7")})
    assert lines(changed(root)) == {name: ((1, 1),)}
    git(root, "add", "--all")
    assert lines(staged(root)) == {name: ((1, 1),)}


def test_links_and_binary_files(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {"a.py": FILE, "b.py": FILE})
    (root / "link.py").symlink_to("a.py")
    (root / "b.py").write_bytes(b"\x00\xff\xfe" * 10)
    found = changed(root)
    # That it is no text is said by the review, like that of any other file.
    assert set(found) <= {"b.py"}
    assert all(isinstance(source.read(), str) for source in found.values())
    git(root, "add", "--all")
    # A gate that is silent about what it cannot read lets everything through.
    assert {name: source.read() for name, source in staged(root).items()} == {
        "b.py": "it is binary."
    }


def test_what_is_staged_and_too_large_is_said(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {"a.py": FILE})
    # More than Git is asked for, and more than a document may have.
    write(root, {"huge.py": "x = 1\n" * 400_000, "large.py": "x = 1\n" * 90_000})
    git(root, "add", "--all")
    said = {name: str(source.read()) for name, source in staged(root).items()}
    assert sorted(said) == ["huge.py", "large.py"]
    assert all("more than 524,288 characters" in reason for reason in said.values())


def test_a_file_in_conflict_is_not_staged(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {"a.py": FILE})
    git(root, "checkout", "--quiet", "-b", "topic")
    commit(root, {"a.py": FILE.replace("1", "7")})
    git(root, "checkout", "--quiet", "main")
    commit(root, {"a.py": FILE.replace("1", "8")})
    git(root, "merge", "topic", check=False)
    assert staged(root) == {}
    assert set(changed(root)) == {"a.py"}


def test_submodules_are_compared_with_their_own_commits(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"lib.py": FILE})
    root = repository(tmp_path / "p", {"a.py": FILE})
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "sub")
    git(root, "commit", "--quiet", "--message", "x")
    assert changed(root) == {}
    write(root, {"sub/lib.py": FILE.replace("2", "7"), "a.py": FILE.replace("1", "7")})
    assert lines(changed(root)) == {"a.py": ((1, 1),), "lib.py": ((5, 5),)}
    git(root, "add", "--all")
    assert set(staged(root)) == {"a.py"}


def test_a_linked_work_tree(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {"a.py": FILE})
    other = tmp_path / "other"
    git(root, "worktree", "add", "--quiet", str(other))
    write(other, {"a.py": FILE.replace("1", "7")})
    assert lines(changed(other)) == {"a.py": ((1, 1),)}
    assert changed(root) == {}


def test_a_shallow_clone(tmp_path: Path) -> None:
    origin = repository(tmp_path / "origin", {"a.py": FILE})
    commit(origin, {"a.py": FILE.replace("1", "3")})
    git(origin, "branch", "old", "HEAD~1")
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", origin.as_uri(), "clone")
    clone = tmp_path / "clone"
    write(clone, {"a.py": FILE.replace("1", "7")})
    assert lines(changed(clone)) == {"a.py": ((1, 1),)}
    with pytest.raises(GitError, match="unshallow"):
        changed(clone, revision="origin/old")


def test_where_there_is_no_repository(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": FILE})
    with pytest.raises(GitError, match="not in a Git repository"):
        changed(tmp_path)
    with pytest.raises(GitError, match="not in a Git repository"):
        staged(tmp_path / "a.py")


def test_a_revision_that_does_not_exist(tmp_path: Path) -> None:
    root = repository(tmp_path / "p", {"a.py": FILE})
    with pytest.raises(GitError, match="no commit 'nonsense'"):
        changed(root, revision="nonsense")
    with pytest.raises(GitError, match="no commit"):
        changed(root, revision="--output=x")
