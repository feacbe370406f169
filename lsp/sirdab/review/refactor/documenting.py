"""Has a model write the documentation of one function or class, and nothing of its code.

Where the answer can be begun, it begins with the head of the function and the sign that opens a
comment, and ends where the comment closes. That is a fifth of what rewriting the function would
cost, and no code can change.
"""

import re
from dataclasses import dataclass

from sirdab.review.refactor.refusal import RefusalError
from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Text

_BLOCKS = frozenset(
    {"c", "cpp", "java", "javascript", "javascriptreact", "typescript", "typescriptreact", "php"}
)
_LINES = {"go": "//", "rust": "///", "lua": "---"}
_DEFINITIONS = frozenset({"function_definition", "class_definition"})
# A section that says that there is nothing to say, and what goes without saying.
_NOTHING = re.compile(r"(?i)^\s*:?(none|nothing|n/a|no (exceptions?|errors?)|raises none)\b.*")
_SECTION = re.compile(
    r"^\s*(Args|Arguments|Parameters|Returns|Raises|Yields|Notes?|Examples?):\s*$"
)
_OWN = re.compile(r"^\s*(?:\*\s*)?(?:[@\\:]param\s+)?(self|cls)\b\s*[:(]")
_RAISES = re.compile(r"\b(?:raise|throw|panic|throws)\b")
_RAISED = re.compile(r"^\s*(?:\*\s*)?(?:Raises:\s*$|@(?:throws|exception)\b|:raises?\b)")
_MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class Opening:
    """How an answer is begun so that only a comment is missing.

    Attributes:
        head: The lines that stand before the comment.
        sign: What the comment begins with, its indentation included.
        stop: What ends it.
        language_id: The language.
    """

    head: tuple[str, ...]
    sign: str
    stop: str
    language_id: str

    @property
    def begun(self) -> str:
        """The beginning of the answer."""
        return "".join(f"{line}\n" for line in self.head) + self.sign

    def is_whole(self, lines: tuple[str, ...], answer: str) -> bool:
        """Whether an answer is the whole code, although it was begun."""
        first = next((line.strip() for line in lines if line.strip()), "")
        return any(line.strip() == first for line in answer.split("\n"))

    def joined(self, lines: tuple[str, ...], answer: str) -> list[str]:
        """Return the lines of the code with the comment in them.

        Args:
            lines: The lines as they are.
            answer: What the model wrote, which goes on from `begun`.

        Raises:
            RefusalError: It is no comment.
        """
        code = "\n".join(lines)
        if self.language_id == "python":
            written = _docstring(self.sign, answer, code)
        elif self.stop == "*/":
            written = _block(answer, code)
        else:
            written = _line_comments(self.sign, answer)
        return [*self.head, *written, *lines[len(self.head) :]]


def opening(lines: tuple[str, ...], language_id: str) -> Opening | None:
    """Return how the documentation of one function or class is begun.

    Args:
        lines: Its lines, without the indentation they share.
        language_id: Its language.

    Returns:
        None where the lines are not those of one function or class, or the language is not known
        here.

    Raises:
        RefusalError: It has documentation.
    """
    if language_id == "python":
        return _python(lines)
    if not lines or lines[0][:1].isspace() or lines[0].startswith(("/", "*", "#")):
        return None
    if language_id in _BLOCKS:
        return Opening((), "/**\n * ", "*/", language_id)
    sign = _LINES.get(language_id)
    if sign is None:
        return None
    # Go's comments begin with the name of what they are about (go.dev/doc/comment).
    name = re.match(r"func\s+(?:\([^)]*\)\s*)?(\w+)|type\s+(\w+)", lines[0])
    start = f"{sign} {name[1] or name[2]} " if language_id == "go" and name else f"{sign} "
    return Opening((), start, f"\n{lines[0][:60]}", language_id)


def _python(lines: tuple[str, ...]) -> Opening | None:
    text = Text("\n".join(lines))
    parsed = parse_alone(text, "python")
    if parsed is None:
        return None
    body = [node for node in parsed.tree.root_node.named_children if node.type != "comment"]
    if len(body) != 1:
        return None
    node = body[0]
    if node.type == "decorated_definition":
        inner = node.child_by_field_name("definition")
        node = node if inner is None else inner
    block = node.child_by_field_name("body")
    if node.type not in _DEFINITIONS or block is None or not block.named_children:
        return None
    first = block.named_children[0]
    if first.type == "expression_statement" and first.named_children[0].type in (
        "string", "concatenated_string",
    ):  # fmt: skip
        raise RefusalError("It is documented already.")
    head = node.child_by_field_name("return_type") or node.child_by_field_name("parameters")
    head = head or node.child_by_field_name("superclasses") or node.child_by_field_name("name")
    row = first.start_point[0]
    last = head.end_point[0] if head is not None else node.start_point[0]
    # Comments may stand between the head and the first statement.
    if row <= last:
        return None
    line = lines[row]
    indent = line[: len(line) - len(line.lstrip())]
    return Opening(tuple(lines[: last + 1]), f'{indent}"""', '"""', "python")


def _docstring(sign: str, answer: str, code: str) -> list[str]:
    indent = sign[: len(sign) - len(sign.lstrip())]
    said = _tidied(answer.partition('"""')[0].replace("\\", "").strip().split("\n"), code)
    if not said or len(said) > _MOST_LINES:
        raise RefusalError(
            "The model wrote no documentation.", hint="Write one sentence and the sections."
        )
    lines = [said[0].strip(), *_indented(said[1:], indent)]
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    return [f'{indent}"""{lines[0]}', *lines[1:], f'{indent}"""']


def _block(answer: str, code: str) -> list[str]:
    said = _tidied(answer.partition("*/")[0].strip().split("\n"), code)
    if not said or len(said) > _MOST_LINES:
        raise RefusalError("The model wrote no documentation.", hint="Write one sentence.")
    body = [re.sub(r"^\s*\*?\s*", "", line).rstrip() for line in said]
    return ["/**", *(f" * {line}".rstrip() for line in body), " */"]


def _line_comments(sign: str, answer: str) -> list[str]:
    comment, _, rest = sign.partition(" ")
    first, *others = answer.split("\n")
    found = [f"{comment} {rest}{first.strip()}".rstrip()]
    # What follows the second line is mostly that there is nothing more to say.
    for line in others[:1]:
        # A heading has nothing below it where the rest is left out.
        if not line.startswith(comment) or line.rstrip().endswith(":"):
            break
        found.append(line.rstrip())
    if len(found) > _MOST_LINES or not found[0][len(sign) :].strip():
        raise RefusalError("The model wrote no documentation.", hint="Write one sentence.")
    return found


def _tidied(lines: list[str], code: str) -> list[str]:
    """Leave out what goes without saying or is not so, and sections in which nothing is left."""
    kept = [line.rstrip() for line in lines if not _OWN.match(line)]
    if not _RAISES.search(code):
        # Small models like to document errors that the code does not raise.
        kept = _without_raises(kept)
    result: list[str] = []
    for number, line in enumerate(kept):
        if _SECTION.match(line):
            inside = _inside(kept[number + 1 :])
            if not inside or all(_NOTHING.match(one) for one in inside):
                continue
        if _NOTHING.match(line) and result:
            continue
        if not line.strip() and (not result or not result[-1].strip()):
            continue
        result.append(line)
    while result and not result[-1].strip():
        result.pop()
    return result


def _without_raises(lines: list[str]) -> list[str]:
    kept: list[str] = []
    skipping = False
    for line in lines:
        if _RAISED.match(line):
            skipping = bool(_SECTION.match(line))
            continue
        if skipping and line.strip() and not _SECTION.match(line):
            continue
        skipping = False
        kept.append(line)
    return kept


def _inside(lines: list[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        if not line.strip() or _SECTION.match(line):
            break
        found.append(line)
    return found


def _indented(lines: list[str], indent: str) -> list[str]:
    """Return the further lines of a docstring at the indentation of its first."""
    used = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    shift = min(used, default=0)
    shown: list[str] = []
    in_section = False
    flat = len(set(used)) <= 1
    for line in lines:
        bare = line[shift:].rstrip()
        if not bare:
            in_section = False
            shown.append("")
            continue
        # Small models forget to go in below "Args:".
        deeper = "    " if flat and in_section else ""
        shown.append(f"{indent}{deeper}{bare}")
        in_section = in_section or bool(_SECTION.match(line))
    return shown
