"""The walls between the rooms (ARCHITECTURE.md, "Walls"), read from the imports of every module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sirdab

ROOT = Path(sirdab.__file__).parent
# The fixtures of `sirdab bench review` and their tests are data: nothing imports them.
DATA = [ROOT / "benchmark" / "defects" / folder for folder in ("checks", "clean")]
MODULES = sorted(
    path for path in ROOT.rglob("*.py") if not any(folder in path.parents for folder in DATA)
)

INNER = (
    "text",
    "syntax",
    "context",
    "completion",
    "review",
    "metrics",
    "models",
    "endpoint",
    "policy",
    "config",
)

# What may not be imported, by room. A name stands for the module and all below it.
FORBIDDEN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(INNER, ("pygls", "lsprotocol", "sirdab.server", "sirdab.cli")),
    "server": ("sirdab.cli",),
    "cli": ("pygls", "lsprotocol"),
    "benchmark": ("pygls", "lsprotocol", "sirdab.server", "sirdab.cli"),
}
NETWORK = ("httpx", "httpcore", "aiohttp", "requests", "urllib.request", "http.client")
for _room in ("server", "cli", "benchmark"):
    FORBIDDEN[_room] += (*NETWORK, "socket")
FORBIDDEN["endpoint"] += ("sirdab.completion", "sirdab.context", "sirdab.review")
FORBIDDEN["text"] += ("sirdab",)
for _room in ("text", "syntax", "context", "completion", "review", "metrics", "models", "config"):
    FORBIDDEN[_room] += (*NETWORK, "socket")
# The metrics hold figures: they know nobody's text, and nobody's model.
_OTHERS = ("text", "syntax", "context", "completion", "review", "models", "endpoint")
FORBIDDEN["metrics"] += tuple(f"sirdab.{room}" for room in _OTHERS)
# The loopback rule resolves a host name, which needs the resolver but opens no connection.
FORBIDDEN["policy"] += NETWORK

# It cuts a program off from the network, for which the kernel wants a socket that connects nothing.
EXCEPTIONS = {("benchmark/defects/alone.py", "socket")}

# Asynchronous ways to open a connection, which no import shows.
OPENS_A_SOCKET = frozenset(
    {
        "open_connection",
        "create_connection",
        "start_server",
        "create_server",
        "open_unix_connection",
    }
)


def room_of(module: Path) -> str:
    relative = module.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else ""


def imports(tree: ast.AST, module: Path) -> Iterator[str]:
    """Every module that is imported anywhere in a file, inside of functions too."""
    package = ["sirdab", *module.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _is_import(node.func):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def _is_import(called: ast.expr) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in ("import_module", "__import__")


def breaches(source: str, module: Path) -> list[str]:
    """What a module imports although its room may not."""
    room = room_of(module)
    within = f"sirdab.{room}"
    walls = [wall.rstrip(".") + "." for wall in FORBIDDEN.get(room, ())]
    return [
        f"{module.relative_to(ROOT)} imports {name}"
        for name in imports(ast.parse(source), module)
        if not f"{name}.".startswith(f"{within}.")
        and (module.relative_to(ROOT).as_posix(), name) not in EXCEPTIONS
        and any(f"{name}.".startswith(wall) for wall in walls)
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_walls_stand(module: Path) -> None:
    assert not breaches(module.read_text(encoding="utf-8"), module)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("completion", "import pygls.protocol"),
        ("completion", "def f():\n    from lsprotocol import types"),
        ("completion", "from importlib import import_module\nimport_module('httpx')"),
        ("context", "import httpx"),
        ("endpoint", "from sirdab.completion.engine import Engine"),
        ("endpoint", "from sirdab import completion"),
        ("text", "from sirdab.config import schema"),
        ("text", "from ..config import schema"),
        ("config", "from sirdab.server.app import run_stdio"),
        ("cli", "import lsprotocol"),
        ("server", "import httpx"),
        ("cli", "import httpcore"),
        ("benchmark", "import socket"),
        ("policy", "import urllib.request"),
        ("metrics", "from sirdab.text.store import Text"),
        ("metrics", "from sirdab.completion.request import Source"),
    ],
)
def test_a_breach_is_seen(room: str, source: str) -> None:
    assert breaches(source, ROOT / room / "example.py")


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("text", "from sirdab.text.store import Point"),
        ("text", "from .store import Point"),
        ("endpoint", "import httpx"),
        ("server", "import pygls"),
        ("policy", "import socket"),
    ],
)
def test_what_is_allowed(room: str, source: str) -> None:
    assert not breaches(source, ROOT / room / "example.py")


def names_called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def test_only_the_endpoint_room_opens_connections() -> None:
    openers = {
        room_of(module)
        for module in MODULES
        if OPENS_A_SOCKET & set(names_called(ast.parse(module.read_text(encoding="utf-8"))))
    }
    # `server.app.create_server` is a function of ours that opens nothing.
    assert openers <= {"endpoint", "server"}
    for module in (ROOT / "server").rglob("*.py"):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        assert not (OPENS_A_SOCKET - {"create_server"}) & set(names_called(tree))


def writes_to_stdout(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("stdout", "__stdout__"):
            if isinstance(node.value, ast.Name) and node.value.id == "sys":
                return True
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
            return True
    return False


def test_only_the_transport_touches_standard_output() -> None:
    found = {
        str(module.relative_to(ROOT).as_posix())
        for module in MODULES
        # Commands print for people, and so does the generator of documentation.
        if room_of(module) != "cli"
        and writes_to_stdout(ast.parse(module.read_text(encoding="utf-8")))
    }
    # The harness of the fixtures is a program of its own, which no module imports.
    assert found - {"benchmark/defects/harness.py", "config/generate.py"} == {"server/transport.py"}


@pytest.mark.parametrize(
    ("source", "expect"),
    [
        ("print(1)", True),
        ("import sys\nsys.stdout.write('')", True),
        ("import sys\nsys.stderr.write('')", False),
        ("process.stdout.read()", False),
    ],
)
def test_what_touches_standard_output(source: str, expect: bool) -> None:
    assert writes_to_stdout(ast.parse(source)) is expect


def test_no_library_that_is_slow_to_load_is_loaded_before_initialize() -> None:
    import subprocess
    import sys

    program = (
        "import sys\n"
        "from sirdab.server.app import create_server\n"
        "create_server()\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    slow = {"httpx", "tree_sitter", "rich", "click", "psutil", "filelock", "sqlite3"}
    assert not loaded & slow
    assert "lsprotocol.types" in loaded
