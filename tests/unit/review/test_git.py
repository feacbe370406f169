"""Git is asked without anything of the repository being run."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from sirdab.config.schema import Settings
from sirdab.review.changes import changed_sources, staged_sources
from sirdab.review.gates import Gates
from sirdab.review.git import GitError, Repository, root_of
from tests.support.git import commit, git, needs_git, repository, write

pytestmark = needs_git

BEFORE = "def f():\n    return 1\n"
AFTER = "def f():\n    return 2\n"


def hostile(folder: Path) -> Path:
    """A repository that names a program in every place where Git would run one.

    Returns:
        The file that is there when any of them was run.
    """
    root = repository(folder, {"a.py": BEFORE, "sub/b.py": BEFORE})
    proof = folder.parent / "it-was-run"
    program = folder.parent / "evil.sh"
    program.write_text(f"#!/bin/sh\necho \"$@\" >> '{proof}'\n", encoding="utf-8")
    program.chmod(0o755)
    run = f"'{program}'"
    hooks = root / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction", "pre-commit", "post-checkout"):
        shutil.copy(program, hooks / name)
        shutil.copy(program, root / ".git" / "hooks" / name)
    for key, value in {
        "core.fsmonitor": run,
        "core.hooksPath": str(hooks),
        "core.pager": run,
        "pager.diff-index": run,
        "pager.ls-tree": run,
        "pager.cat-file": run,
        "core.editor": run,
        "core.sshCommand": run,
        "core.gitProxy": str(program),
        "core.askPass": str(program),
        "core.alternateRefsCommand": run,
        "credential.helper": f"!{run}",
        "diff.external": str(program),
        "diff.evil.command": str(program),
        "diff.evil.textconv": run,
        "filter.evil.clean": run,
        "filter.evil.smudge": run,
        "filter.evil.process": run,
        "filter.evil.required": "true",
        "merge.evil.driver": run,
        "gpg.program": str(program),
        "log.showSignature": "true",
        "alias.cat-file": f"!{run}",
        "alias.ls-tree": f"!{run}",
        "alias.rev-parse": f"!{run}",
        "remote.origin.url": f"ext::{program} %S",
        "remote.origin.promisor": "true",
        "remote.origin.partialCloneFilter": "blob:none",
        "protocol.ext.allow": "always",
        "protocol.allow": "always",
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "uploadpack.packObjectsHook": run,
        "core.attributesFile": str(root / ".gitattributes"),
        "core.untrackedCache": "true",
    }.items():
        git(root, "config", key, value)
    write(root, {".gitattributes": "*.py diff=evil filter=evil merge=evil text\n"})
    write(root, {"a.py": AFTER, "sub/b.py": AFTER, "new.py": BEFORE})
    # What the index knows of a file's date is no longer true, so it must be looked at.
    os.utime(root / "a.py", (1, 1))
    return proof


@pytest.mark.skipif(sys.platform == "win32", reason="its programs are shell scripts")
def test_a_hostile_repository_runs_nothing(tmp_path: Path) -> None:
    proof = hostile(tmp_path / "project")
    root = tmp_path / "project"
    found = changed_sources([root], Settings(), Gates())
    assert {source.named.name for source in found.sources} == {"a.py", "b.py", "new.py"}
    staged_sources([root], Settings(), Gates())
    changed_sources([root], Settings(), Gates(), "main")
    assert not proof.exists(), proof.read_text()
    # The control: an ordinary question does run what the repository names.
    git(root, "status", check=False)
    assert proof.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="its programs are shell scripts")
def test_what_is_missing_is_not_fetched(tmp_path: Path) -> None:
    proof = hostile(tmp_path / "project")
    root = tmp_path / "project"
    name = git(root, "-c", "core.fsmonitor=false", "rev-parse", "HEAD:a.py").strip()
    proof.unlink(missing_ok=True)
    (root / ".git" / "objects" / name[:2] / name[2:]).unlink()
    found = changed_sources([root / "a.py"], Settings(), Gates())
    # Nobody knows what was there before, so all of it is reviewed.
    assert [source.lines for source in found.sources] == [None]
    assert not proof.exists(), proof.read_text()
    git(
        root,
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.pager=cat",
        "cat-file",
        "-p",
        name,
        check=False,
    )
    assert proof.exists()


def test_a_git_of_the_workspace_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "project", {"a.py": BEFORE})
    bad = root / "bin" / "git"
    bad.parent.mkdir()
    bad.write_text(f"#!/bin/sh\ntouch '{tmp_path}/it-was-run'\n", encoding="utf-8")
    bad.chmod(0o755)
    monkeypatch.chdir(root / "bin")
    monkeypatch.setenv("PATH", os.pathsep.join([str(bad.parent), ".", "", os.environ["PATH"]]))
    assert Repository(root).commit("HEAD")
    assert not (tmp_path / "it-was-run").exists()
    monkeypatch.setenv("PATH", str(bad.parent))
    with pytest.raises(GitError, match="not installed"):
        Repository(root)


def test_a_folder_that_only_looks_like_a_repository(tmp_path: Path) -> None:
    outer = repository(tmp_path / "outer", {"a.py": BEFORE})
    inner = outer / "inner"
    (inner / ".git").mkdir(parents=True)
    assert root_of(inner) == inner
    # The repository around it is not taken in its place.
    with pytest.raises(GitError, match="git status"):
        Repository(inner)


def test_a_bare_repository_in_the_workspace_is_not_believed(tmp_path: Path) -> None:
    bare = repository(tmp_path / "bare", None, "--bare")
    (bare / ".git").write_text("nonsense", encoding="utf-8")
    with pytest.raises(GitError):
        Repository(bare)


def test_a_revision_is_never_an_option(tmp_path: Path) -> None:
    root = repository(tmp_path / "project", {"a.py": BEFORE})
    found = Repository(root)
    assert found.commit("--help") is None
    assert found.commit("HEAD\0") is None
    assert found.commit("nonsense") is None
    assert found.commit("main") == found.commit("HEAD")


def test_large_and_missing_objects_are_left_out(tmp_path: Path) -> None:
    root = repository(tmp_path / "project", {"a.py": BEFORE, "big.py": "x" * 5_000})
    found = Repository(root)
    files = found.files("HEAD")
    blobs = found.blobs([*files.values(), "0" * 40, "nonsense"], 1_000)
    assert blobs == {files["a.py"]: BEFORE.encode()}


def test_a_repository_with_sha_256(tmp_path: Path) -> None:
    root = repository(tmp_path / "project", {"a.py": BEFORE}, "--object-format=sha256")
    write(root, {"a.py": AFTER})
    (source,) = changed_sources([root], Settings(), Gates()).sources
    assert source.lines == ((1, 1),)
    git(root, "add", "a.py")
    assert [s.lines for s in staged_sources([root], Settings(), Gates()).sources] == [((1, 1),)]


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
@pytest.mark.parametrize(
    "name", ["a\nsha256", "a\x85b\u2028c", "a\n", "\x1b[31m", "-x", "a\udcffb"]
)
def test_a_folder_and_files_with_any_name(tmp_path: Path, name: str) -> None:
    root = repository(tmp_path / name, {f"{name}.py": BEFORE})
    found = Repository(root)
    assert found.digest == "sha1"
    assert list(found.files("HEAD")) == [f"{name}.py"]
    (root / f"{name}.py").write_text("x = 2\n", encoding="utf-8")
    (root / "new.py").write_text("x = 3\n", encoding="utf-8")
    changed = changed_sources([root], Settings(), Gates())
    assert {source.path.name for source in changed.sources} == {f"{name}.py", "new.py"}


def test_the_index_that_git_names_for_a_hook_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path / "project", {"a.py": BEFORE, "b.py": BEFORE})
    write(root, {"a.py": AFTER, "b.py": AFTER})
    git(root, "add", "a.py")
    shutil.copy(root / ".git" / "index", root / ".git" / "next-index")
    git(root, "reset", "--quiet")
    monkeypatch.chdir(root)
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index")
    assert [e.path for e in Repository(root).staged("HEAD")] == ["a.py"]
    # One that lies elsewhere belongs to another repository.
    other = tmp_path / "elsewhere"
    shutil.copy(root / ".git" / "next-index", other)
    monkeypatch.setenv("GIT_INDEX_FILE", str(other))
    assert Repository(root).staged("HEAD") == []


def test_merge_base(tmp_path: Path) -> None:
    root = repository(tmp_path / "project")
    first = commit(root, {"a.py": BEFORE})
    git(root, "checkout", "--quiet", "-b", "topic")
    second = commit(root, {"a.py": AFTER})
    git(root, "checkout", "--quiet", "main")
    other = commit(root, {"b.py": AFTER})
    assert Repository(root).merge_base(second, other) == first
