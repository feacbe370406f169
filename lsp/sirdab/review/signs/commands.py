"""Signs of commands and code that are put together from values."""

import re
from collections.abc import Iterator

from sirdab.review.signs.assembled import parts_put_in
from sirdab.review.signs.kinds import is_constant, is_text
from sirdab.review.signs.look import CALLS, NAMES, arguments, bare, called_name, callee, keywords
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.taint import is_made_safe
from sirdab.review.tree import Node

_SHELLS = frozenset({"os.system", "os.popen", "subprocess.getoutput", "commands.getoutput",
                     "subprocess.getstatusoutput", "asyncio.create_subprocess_shell"})  # fmt: skip
_SHELLS_SCRIPT = re.compile(
    r"^(child_process\.|cp\.)?(exec|execSync)$|^execAsync$|^\w*\.?execPromise$"
)


@sign("command-injection", *PYTHON)
def command_injection(scene: Scene) -> Iterator[Node]:
    """Yield commands that a shell runs and that hold values."""
    for call in scene.all("call"):
        given, named = arguments(call), keywords(call)
        shell = named.get("shell")
        if callee(call) not in _SHELLS and (shell is None or shell.text != "True"):
            continue
        command = given[0] if given else named.get("args") or named.get("cmd")
        if command is not None and not is_fixed(scene, command):
            yield call


@sign("command-injection", *SCRIPT)
def command_injection_script(scene: Scene) -> Iterator[Node]:
    """Yield commands that a shell runs and that hold values."""
    for call in scene.all("call_expression"):
        given = arguments(call)
        if not given:
            continue
        if (_SHELLS_SCRIPT.match(callee(call)) and not is_fixed(scene, given[0])) or (
            any(
                one.kind == "object" and re.search(r"\bshell:\s*true\b", one.text)
                for one in given[1:]
            )
            and not all(is_constant(one) for one in given[:2])
        ):
            yield call


def is_fixed(scene: Scene, node: Node) -> bool:
    """Whether a text is written out, or put together from what is."""
    inner = bare(node)
    if inner is None or is_constant(inner):
        return True
    if inner.kind in CALLS and called_name(inner) == "join":
        # shlex.join quotes.
        return callee(inner) == "shlex.join"
    if inner.kind in NAMES:
        values = [one.value for one in scene.given(inner.text, inner)]
        return bool(values) and all(value is not None and is_constant(value) for value in values)
    if is_text(inner) or inner.kind in ("binary_operator", "binary_expression"):
        return all(
            is_constant(one) or is_made_safe(one) or is_fixed(scene, one)
            for one in parts_put_in(inner)
        )
    return False


@sign("code-injection", *PYTHON)
def code_injection(scene: Scene) -> Iterator[Node]:
    """Yield text that is run as code."""
    for call in scene.all("call"):
        name, given = callee(call), arguments(call)
        if name not in ("eval", "exec", "builtins.eval", "builtins.exec") or len(given) != 1:
            # Who passes the names that the code may use has thought of what it does.
            continue
        if not is_fixed(scene, given[0]):
            yield call.child("function") or call.child("constructor") or call


@sign("code-injection", *SCRIPT)
def code_injection_script(scene: Scene) -> Iterator[Node]:
    """Yield text that is run as code."""
    for call in scene.all("call_expression", "new_expression"):
        name, given = callee(call), arguments(call)
        if not given:
            continue
        if name in ("eval", "window.eval", "globalThis.eval", "vm.runInThisContext",
                    "vm.runInNewContext", "Function"):  # fmt: skip
            if not all(is_fixed(scene, one) for one in given):
                yield call.child("function") or call.child("constructor") or call
        elif (
            name in ("setTimeout", "setInterval")
            and is_text(given[0])
            and (not is_constant(given[0]))
        ):
            yield call.child("function") or call.child("constructor") or call
