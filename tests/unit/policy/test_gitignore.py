"""Patterns of ignore files, held against the real Git where it is installed."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.policy.gitignore import GitIgnore, as_bytes, lines_of
from sirdab.policy.ignore import ExclusionRules

_GIT = shutil.which("git")


def verdict(pattern: str, path: str, *, is_folder: bool = False, fold: bool = False) -> bool | None:
    found = GitIgnore([as_bytes(pattern)], fold=fold).match(as_bytes(path), is_folder=is_folder)
    return None if found is None else found.excludes


@pytest.mark.parametrize(
    ("pattern", "path", "expect"),
    [
        ("a", "a", True),
        ("a", "x/a", True),
        ("a", "ab", None),
        ("/a", "a", True),
        ("/a", "x/a", None),
        ("x/a", "x/a", True),
        ("x/a", "y/x/a", None),
        ("*.log", "x/y.log", True),
        ("*.log", ".log", True),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "abXbc", True),
        ("a*b*c", "acb", None),
        ("x/*", "x/a", True),
        ("x/*", "x/y/a", None),
        ("x/*/a", "x/y/a", True),
        ("x/*/a", "x/a", None),
        ("**/a", "a", True),
        ("**/a", "x/y/a", True),
        ("**/a*b/c", "ax/ab/c", True),
        ("**/a*b/c", "ax/y/azb/c", True),
        ("**/ab/**/c", "ab/x/ab/c", True),
        ("x/**", "x/y/a", True),
        ("x/**", "x", None),
        ("x/**/a", "x/a", True),
        ("x/**/a", "x/y/z/a", True),
        ("x**/a", "xy/z/a", True),
        ("a**b", "aXb", True),
        ("a?", "ab", True),
        ("a?", "a", None),
        ("x?a", "x/a", None),
        ("[ab]", "b", True),
        ("[!ab]", "c", True),
        ("[^ab]", "a", None),
        ("[a-c]", "b", True),
        ("[c-a]", "b", None),
        ("[]-]", "]", True),
        ("[[:digit:]]", "7", True),
        ("[[:nope:]]", "n", None),
        ("[a", "[a", None),
        ("[a", "a", None),
        ("\\*", "*", True),
        ("\\!a", "!a", True),
        ("\\#a", "#a", True),
        ("#a", "#a", None),
        ("a\\", "a\\", None),
        ("a ", "a", True),
        ("a\\ ", "a ", True),
        ("a\\  ", "a ", True),
        ("!a", "a", False),
        ("é*", "éa", True),
        # A byte, not a character.
        ("?", "é", None),
        ("??", "é", True),
        ("", "a", None),
        ("/", "a", None),
        ("!", "a", None),
        ("//a", "a", None),
        ("a//b", "a/b", None),
    ],
)
def test_a_pattern_matches_what_git_says_it_does(
    pattern: str, path: str, expect: bool | None
) -> None:
    assert verdict(pattern, path) is expect


def test_a_pattern_with_a_slash_at_its_end_matches_folders_alone() -> None:
    assert verdict("a/", "a", is_folder=True) is True
    assert verdict("a/", "a") is None


@pytest.mark.parametrize("pattern", ["A*", "[A-Z]b", "ab", "/AB"])
def test_case_is_folded_on_request(pattern: str) -> None:
    assert verdict(pattern, "aB", fold=True)
    assert verdict(pattern, "Ab", fold=True)


def test_the_last_pattern_that_matches_decides() -> None:
    rules = GitIgnore(["*.log", "!keep.log", "x/keep.log"])
    found = [rules.match(path, is_folder=False) for path in ("a.log", "keep.log", "x/keep.log")]
    assert [one and (one.excludes, one.pattern) for one in found] == [
        (True, "*.log"),
        (False, "!keep.log"),
        (True, "x/keep.log"),
    ]
    assert GitIgnore(["!a"], negation=False).match("a", is_folder=False) is None


def test_lines_are_read_as_git_reads_them() -> None:
    assert lines_of(b"\xef\xbb\xbfa\r\nb\xe9\n") == ["a", "b\xe9", ""]
    assert verdict("caf\udce9*", "caf\udce9.txt") is True


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 40 + "b", "a" * 200),
        ("**/a" * 30 + "/b", "a/" * 60 + "c"),
        ("**/*a*" * 30 + "/b", "aa/" * 60 + "c"),
        ("*" * 500 + "b", "a" * 200),
        ("?*" * 80 + "b", "a" * 200),
        ("a**/" * 40 + "b", "a/" * 60 + "c"),
        ("[!x]*" * 80 + "b", "a" * 200),
    ],
)
def test_no_pattern_of_a_hostile_file_takes_long(pattern: str, path: str) -> None:
    # Backtracking would take longer than anybody waits; the test's own time limit would tell.
    assert verdict(pattern, path) is None


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_line_is_too_strange(pattern: str, path: str) -> None:
    verdict(pattern, path)
    verdict(pattern, path, is_folder=True, fold=True)


# --- Against the real Git ---------------------------------------------------------------------

_NAMES = [
    "a", "b", "ab", "abc", "a.py", "b.log", "x y", "é", "A", "!a", "#a", "a]", "-", "a*b", "a ",
]  # fmt: skip
_PIECES = [
    *"aabbc.*?/!#-]^ ", "*", "**", "/", "**/", "/**", "/**/", "[ab]", "[!a]", "[^b]", "[a-c]",
    "[]a]", "[[:alpha:]]", "[[:space:]-]", "[a\\]b]", "[a", "\\", "\\*", "\\ ", ".py", ".log",
    "é", "ab", "x y",
]  # fmt: skip


def _tree(chance: random.Random, root: Path) -> list[str]:
    """Make files and folders, and ignore files among them; return the files' paths."""
    folders = [""]
    for _ in range(chance.randint(1, 5)):
        folders.append(f"{chance.choice(folders)}{chance.choice(_NAMES)}/")
    files = {f"{folder}{chance.choice(_NAMES)}" for folder in folders for _ in range(4)}
    files -= {folder.rstrip("/") for folder in folders}
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for file in files:
        (root / file).write_bytes(b"")
    for folder in chance.sample(folders, chance.randint(1, len(folders))):
        lines = [
            "".join(chance.choice(_PIECES) for _ in range(chance.randint(1, 5)))
            for _ in range(chance.randint(1, 6))
        ]
        ending = chance.choice(["\n", "\r\n"])
        (root / folder / ".gitignore").write_bytes(ending.join(lines).encode())
    return sorted(files)


def _git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    assert _GIT is not None
    # Nobody's own configuration, which may name more ignore files.
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": str(root)}
    done = subprocess.run(
        [_GIT, "-C", str(root), *arguments],
        input=given,
        capture_output=True,
        env={**os.environ, **own, "XDG_CONFIG_HOME": str(root / "none")},
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.skipif(_GIT is None, reason="git is not installed")
@pytest.mark.parametrize("seed", range(120))
def test_git_says_the_same(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    root = tmp_path / "tree"
    root.mkdir()
    _git(root, "init", "-q", "--template=")
    files = _tree(random.Random(seed), root)
    asked = "\0".join(files).encode() + b"\0"
    told = _git(root, "check-ignore", "--no-index", "-z", "--stdin", given=asked)
    by_git = {name.decode() for name in told.split(b"\0") if name}
    rules = ExclusionRules((), [str(root)])
    by_us = {name for name in files if rules.is_excluded(str(root / name))}
    written = {str(path): path.read_bytes() for path in root.rglob(".gitignore")}
    assert by_us == by_git, written
