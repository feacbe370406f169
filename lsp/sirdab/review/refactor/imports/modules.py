"""The libraries that code brings in, and which of them are new to it."""

import re
import sys

from sirdab.review.refactor.refusal import RefusalError

_PYTHON = re.compile(r"^\s*(?:from\s+(\.*[\w.]*)\s+import\b|import\s+([\w.]+(?:\s*,\s*[\w.]+)*))")
_SCRIPT = re.compile(
    r"""(?:\bfrom\s*|\brequire\s*\(\s*|\bimport\s*\(?\s*)["'`]([^"'`]{1,200})["'`]"""
)
_GO = re.compile(r"""^\s*(?:import\s+)?(?:[\w.]+\s+)?"([\w./-]{1,200})"\s*$""")
_RUST = re.compile(r"^\s*(?:pub\s+)?use\s+(?:::)?(\w+)|\bextern\s+crate\s+(\w+)")
_JAVA = re.compile(r"^\s*import\s+(?:static\s+)?([\w.]+)")
_REQUIRES = re.compile(
    r"""\b(?:require|require_once|include|include_once|load|source)\s*\(?\s*["']([^"']{1,200})["']"""
)
_INCLUDE = re.compile(r"""^\s*#\s*include\s*([<"][^>"]{1,200}[>"])""")
_USING = re.compile(r"^\s*using\s+(?:static\s+)?([\w.]+)\s*;")

NODE_MODULES = frozenset(
    {
        "assert", "assert/strict", "async_hooks", "buffer", "child_process", "console", "crypto",
        "diagnostics_channel", "events", "fs", "fs/promises", "os", "path", "perf_hooks", "process",
        "querystring", "readline", "readline/promises", "stream", "stream/promises",
        "string_decoder", "test", "timers", "timers/promises", "url", "util", "worker_threads",
        "zlib",
    }
)  # fmt: skip
"""Modules of Node.js (its documentation, "Built-in modules") without those of the network and
those that run code."""

GO_PACKAGES: dict[str, str] = {
    path.rpartition("/")[2]: path
    for path in (
        "bufio", "bytes", "cmp", "container/heap", "container/list", "context", "crypto/hmac",
        "crypto/rand", "crypto/sha256", "crypto/sha512", "crypto/subtle", "database/sql",
        "encoding/base64", "encoding/binary", "encoding/csv", "encoding/hex", "encoding/json",
        "errors", "fmt", "hash/fnv", "html", "io", "io/fs", "log", "log/slog", "maps", "math",
        "math/big", "math/bits", "os", "os/exec", "path", "path/filepath", "reflect", "regexp",
        "slices", "sort", "strconv", "strings", "sync", "sync/atomic", "testing", "time", "unicode",
        "unicode/utf8",
    )
}  # fmt: skip
"""Packages of Go's standard library that fixes need, by the name that code calls them by."""

_C_HEADERS = frozenset(
    f"{name}.h"
    for name in (
        "assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits",
        "locale", "math", "setjmp", "signal", "stdalign", "stdarg", "stdatomic", "stdbit",
        "stdbool", "stdckdint", "stddef", "stdint", "stdio", "stdlib", "stdnoreturn", "string",
        "tgmath", "threads", "time", "uchar", "wchar", "wctype",
    )
)  # fmt: skip
"""Headers of C (ISO/IEC 9899:2024, section 7)."""

_OURS = frozenset({"std", "core", "alloc", "crate", "self", "super"})
_SCRIPTS = frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact"})


def modules(lines: list[str], language_id: str) -> set[str]:
    """Return what is brought in by some lines, at the level at which a library is installed."""
    found: set[str] = set()
    for line in lines:
        found |= set(_of_line(line[:2_000], language_id))
    return found


def check_modules(before: list[str], after: list[str], language_id: str, wanted: str = "") -> None:
    """Hold that no library comes in that is neither the language's own nor used before.

    Args:
        before: The lines of the document.
        after: The lines as they would be.
        language_id: Their language.
        wanted: The user's own words; a library that they name may come in.

    Raises:
        RefusalError: One does.
    """
    named = set(re.findall(r"[\w-]+", wanted.lower()))
    known = modules(before, language_id)
    for module in sorted(modules(after, language_id) - known):
        if not _is_own(module, language_id) and not set(re.split(r"\W+", module.lower())) & named:
            raise RefusalError(
                "The new code would need a library that the file does not use, so nothing is done.",
                hint="Use only the standard library and what the code uses already.",
            )


def _of_line(line: str, language_id: str) -> list[str]:
    if language_id == "python":
        found = _PYTHON.match(line)
        if found is None:
            return []
        if found[1] is not None:
            return [found[1] if found[1].startswith(".") else found[1].partition(".")[0]]
        return [name.strip().partition(".")[0] for name in found[2].split(",")]
    if language_id in _SCRIPTS:
        return [module.removeprefix("node:") for module in _SCRIPT.findall(line)]
    if language_id == "go":
        return _GO.findall(line)
    if language_id == "rust":
        return [one or other for one, other in _RUST.findall(line)]
    if language_id in ("java", "kotlin", "scala"):
        return [".".join(name.split(".")[:2]) for name in _JAVA.findall(line)]
    if language_id in ("c", "cpp"):
        return _INCLUDE.findall(line)
    if language_id == "csharp":
        return [name.partition(".")[0] for name in _USING.findall(line)]
    return _REQUIRES.findall(line)


def _is_own(module: str, language_id: str) -> bool:
    """Whether a module belongs to the language."""
    if language_id == "python":
        return module in sys.stdlib_module_names
    if language_id in _SCRIPTS:
        return module in NODE_MODULES
    if language_id == "go":
        return module in GO_PACKAGES.values()
    if language_id == "rust":
        return module in _OURS
    if language_id in ("java", "kotlin", "scala"):
        return module.partition(".")[0] in ("java", "javax", "kotlin", "scala")
    if language_id in ("c", "cpp"):
        # Headers of C++ have no suffix.
        name = module.strip("<>")
        is_own = name in _C_HEADERS or not set(name) & set("./")
        return module.startswith("<") and is_own
    if language_id == "csharp":
        return module == "System"
    return False
