"""What must hold of a document with a rewriting in it, whatever the rewriting was for."""

from collections import Counter
from dataclasses import dataclass

from sirdab.review.refactor import behaviour, danger, imports, python_order, stdlib, trees
from sirdab.review.refactor.imports.python import parses
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.region import Part
from sirdab.review.units import code_of
from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Text

_TYPED = frozenset({"python", "typescript", "typescriptreact"})


@dataclass(frozen=True, slots=True)
class Discipline:
    """What a rewriting may do, beyond what none may.

    Attributes:
        keep: Share of the lines with code that have to stay, but for their indentation.
        only_comments: Whether only comments and documentation may be added.
        only_types: Whether only annotations of types may change.
        keeps_callers: Whether each function keeps its name and the names of its parameters.
        near: Number of the line of a defect, 0-based: what the model changes elsewhere is left out
            where the fix is whole without it. None where nothing is.
        same: Whether the code has to do what it did before.
        keeps_texts: Whether the texts in the code have to stay.
        wanted: The user's own words, which may ask for what is refused otherwise.
    """

    keep: float = 0.0
    only_comments: bool = False
    only_types: bool = False
    keeps_callers: bool = False
    near: int | None = None
    same: bool = False
    keeps_texts: bool = False
    wanted: str = ""


def check_changed(was: Part, becomes: Part, language_id: str, rules: Discipline) -> None:
    """Hold that the document as it would be may take the place of the one that is."""
    text, changed = was.text, becomes.text
    check_syntax(text, changed, language_id)
    old, new = code_of(text, language_id), code_of(changed, language_id)
    if rules.only_comments:
        if old != new:
            raise RefusalError(
                "The model would change the code as well, so nothing is done.",
                hint="Change no code; only add documentation.",
            )
    elif old == new:
        raise RefusalError(
            "The model would change nothing but comments here, so nothing is done.",
            hint="The code must change.",
        )
    danger.check_secrets(str(text), str(changed))
    if language_id == "python":
        stdlib.check(str(text), str(changed))
        python_order.check(str(text), str(changed))
    if not rules.only_comments:
        danger.check(old, new, rules.wanted)
        imports.check_modules(old, new, language_id, rules.wanted)
    if rules.same:
        gone, come = Counter(old) - Counter(new), Counter(new) - Counter(old)
        behaviour.check(list(gone.elements()), list(come.elements()))
    if rules.same or rules.keeps_texts:
        behaviour.check_texts(was.lines, becomes.lines)
    if not rules.wanted:
        danger.check_script(str(text), becomes.lines)
    if rules.only_types and language_id in _TYPED:
        _check_types(text, changed, language_id)
    if rules.keeps_callers:
        _check_callers(
            trees.functions(text, language_id, was.first, was.last),
            trees.functions(changed, language_id, becomes.first, becomes.last),
            same=rules.same,
        )


def check_syntax(text: Text, changed: Text, language_id: str) -> None:
    """Hold that a document has no more errors than it had.

    Raises:
        RefusalError: It has.
    """
    before = parse_alone(text, language_id)
    if before is None:
        return
    after = parse_alone(changed, language_id)
    # The grammar of Python lets pass what Python does not, such as a block without a line.
    broken = language_id == "python" and parses(str(text)) and not parses(str(changed))
    if after is None or trees.errors(after) > trees.errors(before) or broken:
        raise RefusalError(
            "What the model wrote is not valid code, so nothing is done.",
            hint="It is not valid code; mind brackets and indentation.",
        )


def _check_types(text: Text, changed: Text, language_id: str) -> None:
    """Hold that without annotations the code is the same, but for imports."""
    old = trees.code_tokens(text, language_id, types=False)
    new = trees.code_tokens(changed, language_id, types=False)
    if old != new and not _only_imports(text, changed, language_id):
        raise RefusalError(
            "The model would change more than types, so nothing is done.",
            hint="Add annotations of types and change nothing else.",
        )


def _only_imports(text: Text, changed: Text, language_id: str) -> bool:
    def rest(document: Text) -> list[bytes] | None:
        lines = [document.line_body(number) for number in range(document.line_count)]
        kept = [line for line in lines if not line.startswith(("import ", "from "))]
        return trees.code_tokens(Text("\n".join(kept)), language_id, types=False)

    return rest(text) == rest(changed)


def _check_callers(old: list[trees.Function], new: list[trees.Function], *, same: bool) -> None:
    known = {(one.name, one.parameters): one for one in new}
    for one in old:
        now = known.get((one.name, one.parameters))
        kept = now is not None and (not one.result or one.result == now.result)
        if not kept or (same and now is not None and one.head != now.head):
            raise RefusalError(
                "The model would change how a function is called, so nothing is done.",
                hint="Keep the first line of each function as it is.",
            )
