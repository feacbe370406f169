"""Takes the code out of what a model wrote, and says how code is put to it."""

import re
import textwrap

from sirdab.review.conversation import without_thoughts
from sirdab.review.refactor.refusal import RefusalError

_RUN = re.compile(r"`{3,}")
_FENCE = re.compile(r"^[ \t]{0,8}(`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
# What models say before and after code. None of it begins a line of code in a language of ours.
_CHATTER = re.compile(
    r"(?i)^(\*\*|#{1,6} (?=(?:explanation|note|changes|fix|solution|example)\b)|"
    r"(?:sure|certainly|of course|sorry)\b[,.!]|"
    r"(?:here(?: is|'s| are)|i (?:have|can|cannot|will|am|changed|fixed|added)|"
    r"(?:this|the) (?:code|function|following|updated|fixed|original|change)|"
    r"in this (?:code|version)|to fix|note that|explanation:|note:|let me|you can)\b)"
)


def fence_of(code: str) -> str:
    """Return backquotes that open and close a block of this code: more than occur in it in a row.

    The rule is that of CommonMark 0.31, section 4.5, "Fenced code blocks".
    """
    longest = max((len(run) for run in _RUN.findall(code)), default=2)
    return "`" * (longest + 1)


def code_of_answer(answer: str, fence: str = "```") -> list[str]:
    """Return the lines of code of an answer, without fences and chatter.

    Args:
        answer: What the model wrote, with any line ends; the block may be open already.
        fence: What the block was opened with; shorter ones are part of the code.

    Raises:
        RefusalError: It holds no code, or does not say which.
    """
    answer = without_thoughts(answer.replace("\r\n", "\n").replace("\r", "\n"))
    fences = [found for found in _FENCE.finditer(answer) if len(found[1]) >= len(fence)]
    if len(fences) > 2:
        raise RefusalError(
            "The model wrote several pieces of code, so none of them is used.",
            hint="Write one code block only.",
        )
    if len(fences) == 2:
        answer = answer[fences[0].end() + 1 : fences[1].start()]
    elif fences:
        # The prompt opens the block, so one fence alone closes it; before it stands the code.
        answer = answer[: fences[0].start()] or answer[fences[0].end() + 1 :]
    code = "\n".join(line.rstrip() for line in answer.split("\n")).strip("\n")
    if not code:
        raise RefusalError("The model wrote no code.", hint="Write the complete code.")
    return textwrap.dedent(code).split("\n")


def is_chatter(line: str) -> bool:
    """Whether a line is a model's talk about code, or Markdown, and no code."""
    said = line.strip()
    return bool(_CHATTER.match(said)) or said.startswith(("```", "~~~"))
