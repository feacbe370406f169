"""Makes text that others wrote inert, before it is put to a model.

A server reads a control token as a command wherever it stands, so code, or what another server says
of it, could end the question and begin an answer. Those of the model's family are known from the
catalog; which ones a model without a family has is not, so whatever has the form of one is
broken too. A blank behind the first character leaves it readable.

What nobody sees would be an order that nobody sees: it is taken out first, also because control
tokens could come together where it was.
"""

import re

from sirdab.completion.prompt import broken, neutralise
from sirdab.policy.sanitize import clean_output

# "<|name|>", also with the wide bars of DeepSeek; the turns of Gemma, Qwen's tools, Mistral's and
# Llama's instructions. Their sources are those of `models/catalog_chat.toml`.
_CONTROL = re.compile(
    "<[|\uff5c][^|\uff5c<>\n]{1,40}[|\uff5c]>"
    r"|</?(?:start_of_turn|end_of_turn|tool_call|tool_response)>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
    r"|<</?SYS>>"
)
_BREAKS = re.compile("[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")


def seen(text: str) -> str:
    """Return the text as a person sees it: without hidden characters, on the same lines.

    What only some take for a line end, such as U+2028, becomes a blank.
    """
    return clean_output(_BREAKS.sub(" ", text))


def inert(text: str, sentinels: tuple[str, ...]) -> str:
    """Return the text without hidden characters and with its control tokens broken.

    Args:
        text: What somebody else wrote; line ends are LF.
        sentinels: The control tokens of the model's family.
    """
    text = neutralise(seen(text), sentinels)
    return _CONTROL.sub(lambda found: broken(found[0]), text)


def has_control(text: str) -> bool:
    """Whether a text holds what has the form of a control token."""
    return _CONTROL.search(text) is not None


def restored(answer: str, lines: tuple[str, ...], sentinels: tuple[str, ...]) -> str:
    """Return an answer with the lines in it that were shown broken as they are in the document.

    Else a rewriting would write the blanks into strings that nobody wanted to change.

    Args:
        answer: What the model wrote; line ends are LF.
        lines: The lines that it was shown, before they were made inert.
        sentinels: The control tokens of the model's family.
    """
    pairs = ((inert(line, sentinels).strip(), line.strip()) for line in lines)
    originals = {shown: line for shown, line in pairs if shown != line}
    if not originals:
        return answer
    written = answer.split("\n")
    for number, line in enumerate(written):
        body = line.strip()
        if body in originals:
            written[number] = line[: len(line) - len(line.lstrip())] + originals[body]
    return "\n".join(written)
