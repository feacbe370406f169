"""Signs of files that are named from outside."""

import re
from collections.abc import Iterator

from sirdab.review.signs.assembled import parts_put_in
from sirdab.review.signs.kinds import is_constant
from sirdab.review.signs.look import (
    CALLS,
    NAMES,
    STRINGS,
    arguments,
    bare,
    called_name,
    callee,
    function_of,
    keywords,
    receiver,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.taint import is_checked, is_from_request
from sirdab.review.tree import Node

_FILES = re.compile(
    r"^(open|io\.open|send_file|FileResponse|os\.(remove|unlink|rename|listdir|rmdir|makedirs|open)|"
    r"shutil\.(rmtree|copy\w*|move)|Path|pathlib\.Path|"
    r"(fs\.|fsp\.|fs\.promises\.|fsPromises\.)?(readFile|writeFile|createReadStream|unlink|rm|"
    r"createWriteStream|readdir|appendFile|open|stat|copyFile|rename)(Sync)?|"
    r"(res|response|reply)\.(sendFile|download))$"
)
_FILE_METHODS = frozenset({"read_text", "read_bytes", "write_text", "write_bytes", "open",
                           "unlink", "extractall"})  # fmt: skip
_UNTRUSTED = re.compile(
    r"(?i)(^|_)(file_?name|user_?path|requested(_path)?|upload\w*|rel(ative)?"
    r"(_?path)?|user_?input|attachment|member|entry_?name|"
    r"asset|(page|template|document|report|avatar)_?name)$"
)
CONTAINING = re.compile(
    r"is_relative_to|commonpath|commonprefix|secure_filename|basename|"
    r"startsWith|startswith|safe_join|relative_to|\.name\b|path\.relative|"
    r"relpath|normalize|fullmatch"
)
"""What a function says that keeps a path in its folder, one way or another."""


@sign("path-traversal", *PYTHON, *SCRIPT)
def path_traversal(scene: Scene) -> Iterator[Node]:
    """Yield files that are named from outside, with nothing that keeps the name in its folder."""
    for call in scene.calls:
        name, last, given = callee(call), called_name(call), arguments(call)
        if last == "extractall" and scene.language_id == "python":
            on = receiver(call)
            if (
                on is not None
                and re.search(r"(?i)tar|archive", on.text)
                and ("filter" not in keywords(call))
            ):
                yield call
            continue
        subject: Node | None
        if _FILES.match(name) and last != "Path":
            subject = given[0] if given else None
        elif last in _FILE_METHODS:
            subject = receiver(call)
        else:
            continue
        if subject is None or not _is_named_outside(scene, subject, call):
            continue
        function = function_of(call)
        if function is None or CONTAINING.search(function.text):
            continue
        if not is_checked(scene, subject, call):
            yield call


def _is_named_outside(scene: Scene, node: Node, at: Node, steps: int = 4) -> bool:
    """Whether a path has a part that a request gives, or a parameter that sounds like it."""
    inner = bare(node)
    if inner is None or steps <= 0 or is_constant(inner):
        return False
    if is_from_request(scene, inner):
        return True
    if not _is_joined(scene, inner, steps):
        return False
    for name in _names_below(scene, inner, steps):
        if scene.parameter(name, at) is not None and _UNTRUSTED.search(name):
            return True
    return False


def _is_joined(scene: Scene, node: Node, steps: int) -> bool:
    """Whether a path is put together from parts."""
    inner = bare(node)
    if inner is None or steps <= 0:
        return False
    if inner.kind in ("binary_operator", "binary_expression"):
        return True
    if inner.kind in STRINGS:
        return bool(parts_put_in(inner))
    if inner.kind in CALLS:
        if called_name(inner) in ("join", "joinpath"):
            return True
        given, on = arguments(inner), receiver(inner)
        return any(_is_joined(scene, one, steps - 1) for one in (*given[:1], *([on] if on else [])))
    if inner.kind in NAMES:
        return any(
            one.value is not None and _is_joined(scene, one.value, steps - 1)
            for one in scene.given(inner.text, inner)
        )
    return False


def _names_below(scene: Scene, node: Node, steps: int) -> set[str]:
    found: set[str] = set()
    todo = [(node, steps)]
    while todo:
        inner, left = todo.pop()
        for one in inner.walk():
            if one.kind in NAMES and one.text not in found:
                found.add(one.text)
                if left > 0:
                    todo += [
                        (given.value, left - 1)
                        for given in scene.given(one.text, one)
                        if given.value is not None
                    ]
    return found
