"""Which files the model must never see: built-in rules, the user's globs, ignore files.

An excluded file is neither completed nor used as context for another one.

Every doubt is decided for exclusion: a link is judged by its own name and by what it points
to, names are compared without regard to case where that can only exclude more, and an ignore
file that cannot be read excludes its folder.
"""

# Paths are strings here: this is in the path of a keystroke, where making `Path` objects of
# every folder on the way would be most of the cost.
# ruff: noqa: PTH100, PTH110, PTH111, PTH113, PTH116, PTH117, PTH118, PTH120, PTH121

import os
import re
import stat
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from itertools import islice
from typing import NamedTuple

from sirdab.policy.gitignore import GitIgnore, Match, as_bytes, lines_of
from sirdab.policy.limits import MAX_IGNORE_FILE_BYTES

BUILT_IN_FILES: tuple[str, ...] = (
    # Environment files and settings that exist to hold secrets, or often do.
    ".env*", "*.env", "*.env.*", ".dev.vars*", "secrets.*", "*.secret", "*.secrets", ".secrets",
    "secret.y*ml", "credentials", "credentials.json", "credentials.y*ml", "credentials.toml",
    "credentials.ini", "credentials.csv", "credentials.xml", "config.json", "config.y*ml",
    "settings.json", "appsettings.json", "appsettings.*.json", "auth.json", "*.token",
    "docker-compose.override.y*ml", "*.tfvars", "*.tfvars.json", "*.tfstate*",
    ".vault-token", ".vault_pass*", "service-account*.json", "application_default_credentials.json",
    # Keys and certificates.
    "*.pem", "*.key", "*.cert", "*.crt", "*.cer", "*.der", "*.p12", "*.pfx", "*.pkcs12", "*.p8",
    "*.jks", "*.keystore", "*.truststore", "*.ppk", "*.gpg", "*.pgp", "*.age",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.kdb", "*.kdbx", "*.agilekeychain",
    # Databases, and copies that outlive what was taken out of the original.
    "*.db", "*.sqlite", "*.sqlite3", "*.mdb", "*.accdb", "*.bak", "*.backup", "*.old", "*.orig",
    # Log-in files of tools.
    ".npmrc", ".pypirc", ".netrc", "_netrc", ".git-credentials", ".pgpass", ".my.cnf",
    ".htpasswd", ".dockercfg", ".s3cfg", ".boto", "*.ovpn", "*.rdp", "kubeconfig", "*.kubeconfig",
)  # fmt: skip
"""Globs of file names, matched without regard to case.

The union of what Zed (`edit_predictions.disabled_globs` of its default settings) and Continue
(`DEFAULT_SECURITY_IGNORE_FILETYPES` of its core/indexing/ignore.ts) exclude, and the log-in files
of common tools.
"""

BUILT_IN_FOLDERS: tuple[str, ...] = (
    ".aws", ".azure", ".gnupg", ".gpg", ".kube", ".ssh", ".docker", ".gcloud", ".gcp", ".env",
    ".password-store", "secrets", ".secrets", ".private",
)  # fmt: skip
"""Names of folders that are excluded with all they hold, matched without regard to case."""

BUILT_IN_PARENTS: tuple[str, ...] = (
    "env", "private", "certs", "certificates", "keys", ".tmp",
)  # fmt: skip
"""Names of folders whose own files are excluded, but not those of folders within.

The rest of Continue's `DEFAULT_SECURITY_IGNORE_DIRS`. Continue too looks at the folder alone that a
file lies in (`isSecurityConcern`); on macOS all temporary files are below `/private`.
"""

_AI_EXCLUDE = ".aiexclude"
_IGNORE_FILES = (
    # gitignore(5).
    ".gitignore",
    # JetBrains' AI Assistant and Junie: the syntax of .gitignore.
    ".aiignore",
    # Google's Gemini Code Assist: an empty file excludes everything. Its first documentation knew
    # no negation, a later one does; without it more is excluded.
    _AI_EXCLUDE,
    # Cursor: the syntax of .gitignore, and like there an excluded folder's files stay excluded.
    ".cursorignore",
    # Windsurf: the syntax of .gitignore.
    ".codeiumignore",
    ".geminiignore",
    ".copilotignore",
)

# Far above what people write. Each pattern with special characters takes about 0.1 ms when it is
# first needed.
_MOST_LINES = 10_000
_MOST_SPECIAL = 2_000
_LONGEST_LINE = 4_096
_CACHE_SIZE = 4_096
# A file that was changed so lately may be changed again without looking different: the clocks of
# file systems tick every 10 ms to 2 s (FAT).
_SETTLED_NS = 2_000_000_000
_LINK_BYTES = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class _Rules:
    """One ignore file, read."""

    path: str
    patterns: GitIgnore
    everything: str | None = None
    """Why the file excludes its whole folder, when it does."""


class _Signature(NamedTuple):
    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int
    device: int


class _Read(NamedTuple):
    """What is known of an ignore file.

    Attributes:
        signature: What the file looked like when it was read.
        settled: Whether a change of the file would show in its signature.
        content: Its bytes while it is not settled.
        rules: What they say.
    """

    signature: _Signature
    settled: bool
    content: bytes | None
    rules: _Rules


class _Root(NamedTuple):
    """A folder from which ignore files are looked for.

    Attributes:
        folder: A workspace folder.
        path: The root of its repository, or else the folder.
        fold: Whether names that differ in case are the same there.
        others: Ignore files that lie elsewhere and speak of the paths below `path`.
    """

    folder: str
    path: str
    fold: bool
    others: tuple[str, ...]


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
        self._user_rules: tuple[GitIgnore, GitIgnore] | None = None
        self._roots = tuple(dict.fromkeys(self._find_roots(workspace_folders)))
        self._read: dict[str, _Read] = {}
        self._paths: dict[tuple[str, tuple[str, ...]], dict[str, tuple[str, ...]]] = {}
        self._verdicts: dict[tuple[str, str], tuple[list[_Rules], str | None]] = {}

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

    def _find_roots(self, folders: Sequence[str]) -> Iterator[_Root]:
        """Yield each workspace folder, as named and resolved, with its repository's root."""
        for folder in folders:
            named = os.path.abspath(folder)
            for form in dict.fromkeys((named, os.path.realpath(named))):
                root = _repository_root(form)
                others = (_local_exclude(root), *_of_the_user())
                yield _Root(form, root, _folds_case(form), tuple(filter(None, others)))

    def _user_glob(self, path: str) -> str | None:
        if not self._globs:
            return None
        if self._user_rules is None:
            globs = [as_bytes(_normal_glob(glob)) for glob in self._globs]
            absolute = [glob for glob in globs if glob.startswith("/")]
            self._user_rules = (GitIgnore(globs, fold=True), GitIgnore(absolute, fold=True))
        everywhere, absolute = self._user_rules
        inside = [
            parts
            for root in self._roots
            if (parts := _parts_below(path, root.folder, fold=root.fold)) is not None
        ]
        # A relative glob says nothing about the folders above the workspace it is meant for.
        checks = [(everywhere, parts) for parts in inside]
        checks.append((absolute if inside else everywhere, _split_root(path)))
        for rules, parts in checks:
            chain = [(0, rules)]
            for depth in range(len(parts)):
                found = _decide(chain, parts, depth)
                if found is not None and found[1].excludes:
                    return f"privacy.exclude: {_shown(found[1].pattern)}"
        return None

    def _ignore_files(self, path: str) -> str | None:
        for root in self._roots:
            if _parts_below(path, root.folder, fold=root.fold) is None:
                continue
            parts = _parts_below(path, root.path, fold=root.fold) or []
            rule = self._verdict(root, path, parts)
            if rule:
                return rule
        return None

    def _verdict(self, root: _Root, path: str, parts: list[str]) -> str | None:
        """Judge a path by the ignore files above it; the last verdict holds while they do."""
        loaded: list[_Rules] = []
        chains: list[list[tuple[int, _Rules]]] = []
        for name, places in self._places(root, tuple(parts[:-1])).items():
            chain: list[tuple[int, _Rules]] = []
            for depth, place in enumerate(places):
                rules = self._load(place, name, fold=root.fold)
                if rules is not None:
                    chain.append((depth, rules))
                    loaded.append(rules)
            if chain:
                chains.append(chain)
        if not chains:
            return None
        key = (root.folder, path)
        known = self._verdicts.get(key)
        if known is not None and known[0] == loaded:
            return known[1]
        rule = next(filter(None, (_walk(chain, parts) for chain in chains)), None)
        if len(self._verdicts) >= _CACHE_SIZE:
            self._verdicts.clear()
        self._verdicts[key] = (loaded, rule)
        return rule

    def _places(self, root: _Root, folders: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Return where ignore files of each name may lie, from the root down."""
        known = self._paths.get((root.path, folders))
        if known is None:
            if len(self._paths) >= _CACHE_SIZE:
                self._paths.clear()
            levels = [
                os.path.join(root.path, *folders[:depth]) for depth in range(len(folders) + 1)
            ]
            known = self._paths[root.path, folders] = {
                name: tuple(os.path.join(level, name) for level in levels) for name in _IGNORE_FILES
            }
            known |= {other: (other,) for other in root.others}
        return known

    def _load(self, path: str, name: str, *, fold: bool) -> _Rules | None:
        """Return the rules of an ignore file as it is now, None when there is no file."""
        known = self._read.get(path)
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            if known is not None:
                del self._read[path]
            return None
        except (OSError, ValueError):
            return _closed(path)
        signature = _Signature(
            status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev
        )
        if known is not None and known.settled and known.signature == signature:
            return known.rules
        # Opening a device can have effects of its own, so what it is is asked first.
        content = _content(path) if stat.S_ISREG(status.st_mode) else None
        if known is not None and known.content is not None and known.content == content:
            rules = known.rules
        else:
            rules = _closed(path) if content is None else _parse_rules(path, name, content, fold)
        if len(self._read) >= _CACHE_SIZE:
            self._read.clear()
        settled = time.time_ns() - max(signature.mtime_ns, signature.ctime_ns) > _SETTLED_NS
        self._read[path] = _Read(signature, settled, None if settled else content, rules)
        return rules


def _walk(chain: list[tuple[int, _Rules]], parts: Sequence[str]) -> str | None:
    """Judge a path by all ignore files of one name.

    Args:
        chain: The files' depths below the root, and what they say, from the root down.
        parts: The judged path below the root.
    """
    for _, rules in chain:
        if rules.everything:
            return rules.everything
    patterns = [(depth, rules.patterns) for depth, rules in chain]
    # Git looks at a folder before its content: what an excluded folder holds cannot be brought
    # back by a rule further down.
    for depth in range(len(parts)):
        found = _decide(patterns, parts, depth)
        if found is not None and found[1].excludes:
            return f"{chain[found[0]][1].path}: {_shown(found[1].pattern)}"
    return None


def _decide(
    chain: list[tuple[int, GitIgnore]], parts: Sequence[str], depth: int
) -> tuple[int, Match] | None:
    """Return what the nearest file that speaks of a folder or file says, and which it is.

    Args:
        chain: The files' depths below the root, and their patterns, from the root down.
        parts: A path below the root.
        depth: How many of the parts stand before the judged one.
    """
    is_folder = depth < len(parts) - 1
    for number in range(len(chain) - 1, -1, -1):
        base, patterns = chain[number]
        if base <= depth and patterns:
            relative = as_bytes("/".join(parts[base : depth + 1]))
            found = patterns.match(relative, is_folder=is_folder)
            if found is not None:
                return number, found
    return None


def _shown(pattern: str) -> str:
    """Return a pattern, which is in the form `as_bytes` gives, for a person.

    The file may be hostile, and a terminal obeys control characters.
    """
    text = pattern.encode("latin-1").decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:80])


def _closed(path: str) -> _Rules:
    return _Rules(path, GitIgnore(()), f"{path}: cannot be read, so its folder is excluded")


def _content(path: str) -> bytes | None:
    """Read an ignore file; None when it is none, too large, or cannot be read."""
    # Not blocking: a pipe in its place would hold everything up, for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        return None
    try:
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_IGNORE_FILE_BYTES:
                return None
            content = file.read(MAX_IGNORE_FILE_BYTES + 1)
    except OSError:
        return None
    return content if len(content) <= MAX_IGNORE_FILE_BYTES else None


def _parse_rules(path: str, name: str, content: bytes, fold: bool) -> _Rules:
    lines = lines_of(content)
    if len(lines) > _MOST_LINES or max(map(len, lines)) > _LONGEST_LINE:
        return _Rules(path, GitIgnore(()), f"{path}: is too large, so its folder is excluded")
    patterns = GitIgnore(lines, fold=fold, negation=name != _AI_EXCLUDE)
    if patterns.special > _MOST_SPECIAL:
        return _Rules(path, GitIgnore(()), f"{path}: is too large, so its folder is excluded")
    if name == _AI_EXCLUDE and not patterns:
        return _Rules(path, patterns, f"{path}: an empty file excludes its folder")
    return _Rules(path, patterns)


def _local_exclude(root: str) -> str:
    """Return where a repository's own exclude file is, "" when that cannot be told.

    In a linked worktree and in a submodule `.git` is a file that names the directory, and that of a
    worktree names the one it shares (gitrepository-layout(5)).
    """
    directory = os.path.join(root, ".git")
    if os.path.isfile(directory):
        directory = _named_in(directory, "gitdir: ", root)
    common = os.path.join(directory, "commondir")
    if directory and os.path.isfile(common):
        directory = _named_in(common, "", directory)
    return os.path.join(directory, "info", "exclude") if directory else ""


def _named_in(path: str, prefix: str, base: str) -> str:
    content = (_content(path) or b"")[:_LINK_BYTES].decode("utf-8", "surrogateescape")
    named = content.split("\n")[0].rstrip("\r")
    if not named.startswith(prefix) or "\0" in named:
        return ""
    return os.path.join(base, named.removeprefix(prefix))


def _of_the_user() -> Iterator[str]:
    """Yield the ignore files that speak of all workspaces of the user."""
    home = os.path.expanduser("~")
    if os.path.isabs(home):
        # gitignore(5): where `core.excludesFile` is when nothing says otherwise.
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        yield os.path.join(base, "git", "ignore")
        # Windsurf's documentation, "Global .codeiumignore".
        yield os.path.join(home, ".codeium", ".codeiumignore")


# One pattern for all names: trying them one by one would be most of the cost of a verdict.
_BUILT_IN = re.compile("|".join(translate(glob) for glob in BUILT_IN_FILES), re.DOTALL)


_BUILT_IN_RULE = "the built-in rule"
_WHY = " (such files often hold secrets, so no setting takes them back in)"


def _built_in(path: str) -> str | None:
    if path.isascii():
        plain = path.lower()
    else:
        # File systems that take no notice of case fold more letters than A to Z, and some take no
        # notice of characters that nobody sees (HFS+; CVE-2014-9390).
        folded = unicodedata.normalize("NFKC", path).casefold()
        plain = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    # A path of Windows is judged as one everywhere, with the endings that Windows leaves out of a
    # name (dots, spaces) and the name of a stream (":") cut off.
    parts = [part for part in plain.replace("\\", "/").split("/") if part]
    *folders, name = parts or [""]
    for form in dict.fromkeys((name, name.rstrip(". "), name.partition(":")[0].rstrip(". "))):
        if _BUILT_IN.match(form):
            glob = next(glob for glob in BUILT_IN_FILES if fnmatchcase(form, glob))
            return f"{_BUILT_IN_RULE} {glob}{_WHY}"
    for folder in folders:
        if folder.rstrip(". ") in _FOLDERS or folder in _FOLDERS:
            return f"{_BUILT_IN_RULE} {folder}/{_WHY}"
    if folders and folders[-1].rstrip(". ") in _PARENTS:
        return f"{_BUILT_IN_RULE} {folders[-1]}/{_WHY}"
    return None


_FOLDERS = frozenset(BUILT_IN_FOLDERS)
_PARENTS = frozenset(BUILT_IN_PARENTS)


def _normal_glob(glob: str) -> str:
    """Return a glob of the user's in gitignore's form, with absolute ones below "/"."""
    if glob.startswith("~/"):
        glob = os.path.expanduser(glob)
    # A backslash escapes in gitignore, so only the drive of a Windows path can be told.
    drive, tail = os.path.splitdrive(glob)
    return tail.replace(os.sep, "/") if drive else glob


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
    """Return whether names in a folder that differ in case are the same name."""
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in islice(entries, 32)]
        for name in found:
            other = name.swapcase()
            # Whether it is the same file, and not one that has both names.
            if other not in (name, *found):
                return os.path.samefile(os.path.join(folder, name), os.path.join(folder, other))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        pass
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
