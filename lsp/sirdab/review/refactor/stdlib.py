"""Holds new calls of Python's standard library against the standard library itself.

A small model writes `secrets.token()` or `ast.safe_eval()` with the same ease as what there is. The
interpreter that runs this knows better. Only modules that do nothing when they are imported are
asked.
"""

import ast
import importlib
import inspect
from collections.abc import Iterator
from typing import Any

from sirdab.review.refactor.refusal import RefusalError

_ASKED = frozenset(
    {
        "ast", "base64", "bisect", "collections", "contextlib", "copy", "csv", "datetime",
        "decimal", "functools", "hashlib", "heapq", "hmac", "html", "itertools", "json", "logging",
        "math", "operator", "os", "os.path", "pathlib", "random", "re", "secrets", "shlex",
        "shutil", "statistics", "string", "subprocess", "tempfile", "textwrap", "time", "asyncio",
        "typing", "uuid",
    }
)  # fmt: skip


def check(before: str, after: str) -> None:
    """Hold that the functions which new code calls are there and take what they are given.

    Args:
        before: A module as it is.
        after: The module as it would be.

    Raises:
        RefusalError: A function of the standard library is not there, or would raise a TypeError.
    """
    try:
        old, new = ast.parse(before), ast.parse(after)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    known = {ast.dump(call) for call, _ in _calls(old)}
    imported = _imported(new)
    for call, name in _calls(new):
        if ast.dump(call) in known:
            continue
        base, _, function = name.rpartition(".")
        if base not in _ASKED or base.partition(".")[0] not in imported:
            continue
        module = importlib.import_module(base)
        if not hasattr(module, function):
            raise RefusalError(
                f"The new code calls {name[:60]}, which Python does not have, so nothing is done.",
                hint=f"There is no {name[:60]}.",
            )
        if not _fits(getattr(module, function), call):
            raise RefusalError(
                f"The new code gives {name[:60]} other arguments than it takes, so nothing is "
                "done.",
                hint=f"{name[:60]} takes other arguments.",
            )


def _imported(tree: ast.Module) -> set[str]:
    """Return the modules that a name of the same spelling stands for."""
    return {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname is None
    }


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Yield calls of `module.function`, with that name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = ast.unparse(node.func)
            if name.replace(".", "").isidentifier():
                yield node, name


def _fits(function: Any, call: ast.Call) -> bool:
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(
        keyword.arg is None for keyword in call.keywords
    ):
        return True
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Some that are written in C do not tell.
        return True
    try:
        signature.bind(*call.args, **{str(keyword.arg): 0 for keyword in call.keywords})
    except TypeError:
        return False
    return True
