"""Which files the model must never see: built-in rules, the user's globs, ignore files.

An excluded file is neither completed nor used as context for another one.

Every doubt is decided for exclusion: a link is judged by its own name and by what it points
to, names are compared without regard to case where that can only exclude more, and an ignore
file that cannot be read excludes its folder.
"""

# Paths are strings here: this is in the path of a keystroke, where making `Path` objects of
# every folder on the way would be most of the cost.
# ruff: noqa: PTH100, PTH110, PTH111, PTH116, PTH118, PTH120, PTH121, PTH123

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from typing import TYPE_CHECKING, NamedTuple

from sirdab.policy.limits import MAX_IGNORE_FILE_BYTES

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

BUILT_IN_FILES: tuple[str, ...] = (
    # Environment files and settings that exist to hold secrets.
    ".env*", "*.env", ".dev.vars*", "secrets.*", "*.secrets", ".secrets", "secret.y*ml",
    "credentials", "credentials.json", "credentials.y*ml", "credentials.toml", "credentials.ini",
    "credentials.csv", "credentials.xml", "*.tfvars", "*.tfvars.json", "*.tfstate*",
    ".vault-token", ".vault_pass*", "service-account*.json", "application_default_credentials.json",
    # Keys and certificates.
    "*.pem", "*.key", "*.cert", "*.crt", "*.cer", "*.der", "*.p12", "*.pfx", "*.pkcs12", "*.p8",
    "*.jks", "*.keystore", "*.truststore", "*.ppk", "*.gpg", "*.pgp", "*.age",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.kdb", "*.kdbx", "*.agilekeychain",
    # Log-in files of tools.
    ".npmrc", ".pypirc", ".netrc", "_netrc", ".git-credentials", ".pgpass", ".my.cnf",
    ".htpasswd", ".dockercfg", ".s3cfg", ".boto", "*.ovpn", "*.rdp", "kubeconfig", "*.kubeconfig",
)  # fmt: skip
"""Globs of file names, matched without regard to case.

The union of what Zed (default `disabled_globs` of edit predictions) and Continue
(`isSecurityConcern`) exclude, and the log-in files of common tools.
"""

BUILT_IN_FOLDERS: tuple[str, ...] = (
    ".aws", ".azure", ".gnupg", ".kube", ".ssh", ".docker", ".gcloud", ".password-store",
    "secrets", ".secrets",
)  # fmt: skip
"""Names of folders that are excluded with all they hold, matched without regard to case."""

_AI_EXCLUDE = ".aiexclude"
_IGNORE_FILES = (
    ".gitignore",
    ".aiignore",  # JetBrains
    _AI_EXCLUDE,  # Google: an empty file excludes everything, and there is no negation
    ".cursorignore",
    ".codeiumignore",
    ".geminiignore",
    ".copilotignore",
)

_LOCAL_EXCLUDE = ".git/info/exclude"
_CACHE_SIZE = 4_096


@dataclass(frozen=True, slots=True)
class _Rules:
    """One ignore file, read."""

    path: str
    spec: "GitIgnoreSpec | None"
    everything: str | None
    """Why the file excludes its whole folder, when it does."""


class _Signature(NamedTuple):
    mtime_ns: int
    size: int
    inode: int


class ExclusionRules:
    """Decides whether a file is excluded. Ignore files are read again when they change."""

    def __init__(self, globs: Sequence[str], workspace_folders: Sequence[str]) -> None:
        """Prepare the rules.

        Args:
            globs: The setting `privacy.exclude`, in gitignore syntax: relative to each
                workspace folder, or absolute, or beginning with "~/".
            workspace_folders: Absolute paths. Ignore files are looked for from each folder,
                or the root of the Git repository it lies in, down to the file.
        """
        self._globs = tuple(globs)
        self._user_specs: tuple[GitIgnoreSpec, GitIgnoreSpec] | None = None
        self._roots = tuple(dict.fromkeys(self._find_roots(workspace_folders)))
        self._folds_case = {folder: _folds_case(folder) for folder, _ in self._roots}
        self._read: dict[str, tuple[_Signature, _Rules]] = {}
        self._paths: dict[tuple[str, tuple[str, ...]], dict[str, tuple[str, ...]]] = {}

    def is_excluded(self, path: str | os.PathLike[str]) -> str | None:
        """Return the rule that excludes a file, or None when it is allowed.

        Args:
            path: The file; it need not exist. A relative path is taken from the current
                folder.

        Returns:
            For a person: where the rule stands and what it says.
        """
        named: str = os.path.abspath(os.fspath(path))
        try:
            real: str = os.path.realpath(named)
        except (OSError, ValueError):
            return f"{named} cannot be resolved"
        for candidate in dict.fromkeys((named, real)):
            rule = (
                _built_in(candidate) or self._user_glob(candidate) or self._ignore_files(candidate)
            )
            if rule:
                return rule
        return None

    def _find_roots(self, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield each workspace folder, as named and resolved, with its repository's root."""
        for folder in folders:
            named = os.path.abspath(folder)
            for form in dict.fromkeys((named, os.path.realpath(named))):
                yield form, _repository_root(form)

    def _user_glob(self, path: str) -> str | None:
        if not self._globs:
            return None
        if self._user_specs is None:
            globs = [_normal_glob(glob) for glob in self._globs]
            self._user_specs = (
                _compile(globs, fold=True),
                _compile([glob for glob in globs if glob.startswith("/")], fold=True),
            )
        everywhere, absolute = self._user_specs
        inside: list[list[str]] = []
        for folder, _ in self._roots:
            parts = _parts_below(path, folder, fold=self._folds_case[folder])
            if parts is not None:
                inside.append(parts)
        # A relative glob says nothing about the folders above the workspace it is meant for.
        checks = [(everywhere, parts) for parts in inside]
        checks.append((absolute if inside else everywhere, _split_root(path)))
        for spec, parts in checks:
            verdict = _match(spec, "/".join(parts).lower())
            if verdict and verdict[0]:
                return f"privacy.exclude: {verdict[1]}"
        return None

    def _ignore_files(self, path: str) -> str | None:
        for folder, root in self._roots:
            fold = self._folds_case[folder]
            if _parts_below(path, folder, fold=fold) is None:
                continue
            parts = _parts_below(path, root, fold=fold) or []
            for name, paths in self._places(root, tuple(parts[:-1])).items():
                rule = self._walk(name, paths, parts, fold=fold)
                if rule:
                    return rule
        return None

    def _places(self, root: str, folders: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Return where ignore files of each name may lie, from the root down."""
        known = self._paths.get((root, folders))
        if known is None:
            if len(self._paths) >= _CACHE_SIZE:
                self._paths.clear()
            levels = [os.path.join(root, *folders[:depth]) for depth in range(len(folders) + 1)]
            known = self._paths[root, folders] = {
                name: tuple(os.path.join(level, name) for level in levels) for name in _IGNORE_FILES
            }
            known[_LOCAL_EXCLUDE] = (os.path.join(root, *_LOCAL_EXCLUDE.split("/")),)
        return known

    def _walk(
        self, name: str, paths: Sequence[str], parts: Sequence[str], *, fold: bool
    ) -> str | None:
        """Judge a path by all ignore files of one name.

        Args:
            name: Name of the ignore files.
            paths: Where they may lie, from the root down.
            parts: The judged path below the root.
            fold: Whether names are compared without regard to case.
        """
        chain: list[tuple[int, _Rules]] = []
        for depth, path in enumerate(paths):
            rules = self._load(path, name, fold=fold)
            if rules and rules.everything:
                return rules.everything
            if rules:
                chain.append((depth, rules))
        if not chain:
            return None
        # Git looks at a folder before its content: what an excluded folder holds cannot be
        # brought back by a rule further down.
        for depth in range(len(parts)):
            tail = "" if depth == len(parts) - 1 else "/"
            for base, rules in reversed(chain):
                if base > depth:
                    continue
                relative = "/".join(parts[base : depth + 1]) + tail
                verdict = _match(rules.spec, relative.lower() if fold else relative)
                if verdict and verdict[0]:
                    return f"{rules.path}: {verdict[1]}"
                if verdict:
                    break  # The nearest rule that speaks of it decides.
        return None

    def _load(self, path: str, name: str, *, fold: bool) -> _Rules | None:
        """Return the rules of an ignore file as it is now, None when there is no file."""
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            self._read.pop(path, None)
            return None
        except (OSError, ValueError):
            return _Rules(path, None, f"{path}: cannot be read, so its folder is excluded")
        signature = _Signature(status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._read.get(path)
        if known and known[0] == signature:
            return known[1]
        rules = _read_rules(path, name, status, fold=fold)
        if len(self._read) >= _CACHE_SIZE:
            self._read.clear()
        self._read[path] = (signature, rules)
        return rules


# One pattern for all names: trying them one by one would be most of the cost of a verdict.
_BUILT_IN = re.compile("|".join(translate(glob) for glob in BUILT_IN_FILES), re.DOTALL)


def _built_in(path: str) -> str | None:
    *folders, name = [part.lower() for part in _split_root(path)] or [""]
    if _BUILT_IN.match(name):
        glob = next(glob for glob in BUILT_IN_FILES if fnmatchcase(name, glob))
        return f"built-in rule: {glob}"
    for folder in folders:
        if folder in BUILT_IN_FOLDERS:
            return f"built-in rule: {folder}/"
    return None


def _read_rules(path: str, name: str, status: os.stat_result, *, fold: bool) -> _Rules:
    closed = _Rules(path, None, f"{path}: cannot be read, so its folder is excluded")
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_IGNORE_FILE_BYTES:
        return closed
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_IGNORE_FILE_BYTES + 1)
    except OSError:
        return closed
    # Names that are not UTF-8 reach us escaped in the same way, so they still match.
    content = raw.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    lines = content.split("\n")
    if name == _AI_EXCLUDE:
        lines = [line for line in lines if line.strip() and not line.startswith(("#", "!"))]
        if not lines:
            return _Rules(path, None, f"{path}: an empty file excludes its folder")
    return _Rules(path, _compile(lines, fold=fold), None)


def _normal_glob(glob: str) -> str:
    """Return a glob of the user's in gitignore's form, with absolute ones below "/"."""
    if glob.startswith("~/"):
        glob = os.path.expanduser(glob)
    # A backslash escapes in gitignore, so only the drive of a Windows path can be told.
    drive, tail = os.path.splitdrive(glob)
    return tail.replace(os.sep, "/") if drive else glob


def _compile(lines: Iterable[str], *, fold: bool) -> "GitIgnoreSpec":
    """Compile gitignore lines; like Git, lines that are no patterns match nothing."""
    from pathspec import GitIgnoreSpec

    patterns: list[str] = []
    for line in lines:
        pattern = line.rstrip("\r\n")
        pattern = pattern.lower() if fold else pattern
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError:
            continue
        patterns.append(pattern)
    return GitIgnoreSpec.from_lines(patterns)


def _match(spec: "GitIgnoreSpec | None", relative: str) -> tuple[bool, str] | None:
    """Return whether a path is excluded and by which pattern; None when none speaks of it."""
    if spec is None:
        return None
    result = spec.check_file(relative, separators=())
    if result.include is None or result.index is None:
        return None
    return result.include, str(getattr(spec.patterns[result.index], "pattern", ""))


def _repository_root(folder: str) -> str:
    """Return the nearest folder at or above this one that holds `.git`, else the folder."""
    above = folder
    while True:
        if os.path.exists(os.path.join(above, ".git")):
            return above
        parent = os.path.dirname(above)
        if parent == above:
            return folder
        above = parent


def _folds_case(folder: str) -> bool:
    """Return whether a folder's file system takes names that differ in case for the same."""
    other = folder.swapcase()
    if other != folder:
        try:
            return os.path.samefile(folder, other)
        except (OSError, ValueError):
            return False
    return sys.platform in {"win32", "darwin"}


def _split_root(path: str) -> list[str]:
    """Return the parts of an absolute path below its drive or root."""
    tail = os.path.splitdrive(path)[1]
    return [part for part in tail.replace(os.sep, "/").split("/") if part]


def _parts_below(path: str, folder: str, *, fold: bool) -> list[str] | None:
    """Return the parts of a path below a folder, None when it does not lie below it."""
    own, base = os.path.splitdrive(path)[0], os.path.splitdrive(folder)[0]
    parts, above = _split_root(path), _split_root(folder)
    start = parts[: len(above)]
    if fold:
        same = (own.lower(), [p.lower() for p in start]) == (
            base.lower(),
            [a.lower() for a in above],
        )
    else:
        same = own.lower() == base.lower() and start == above
    return parts[len(above) :] if same and len(parts) > len(above) else None
