"""Answers as chat models write them, and what of them is suggested."""

import itertools
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sirdab.completion.chat_fill.extraction import Extraction
from sirdab.completion.chat_fill.fence import Fence
from sirdab.completion.chat_fill.place import Place
from sirdab.completion.engine import Engine
from sirdab.completion.lines import indentation_width
from sirdab.endpoint.base import Ability
from tests.support.completion import ScriptedEndpoint, request_for

MODEL = "llama-3.1-8b-instruct"


class Case(NamedTuple):
    """A document with the cursor, an answer, and what is suggested; None for nothing."""

    name: str
    marked: str
    answer: str
    expect: str | None
    language: str = "python"


SUM = "def total(items):\n    result = 0\n    for item in items:\n        $0\n    return result\n"
ADD = "def add(a, b):\n    return $0\n"
BODY = "def add(a, b):\n    $0\n"
OPEN = "def add(a, b):\n$0"
JS = "function add(a, b) {\n  return $0\n}\n"

CASES = (
    # Fences.
    Case("only the code", ADD, "a + b", "a + b"),
    Case("a fence with the language", ADD, "```python\nreturn a + b\n```", "a + b"),
    Case("a fence without", ADD, "```\nreturn a + b\n```", "a + b"),
    Case("a fence in tildes", ADD, "~~~python\nreturn a + b\n~~~", "a + b"),
    Case("a fence of four", ADD, "````\nreturn a + b\n````", "a + b"),
    Case("an unclosed fence", ADD, "```python\n    return a + b", "a + b"),
    Case("a fence closed on the line of the code", ADD, "```python\nreturn a + b```", "a + b"),
    Case("a fence that is closed and was not opened", ADD, "a + b\n```\n", "a + b"),
    Case("a fence with attributes", ADD, '```python title="a.py"\nreturn a + b\n```', "a + b"),
    Case("an indented fence", ADD, "  ```python\n  return a + b\n  ```", "a + b"),
    Case("a fence on one line", ADD, "```return a + b```", "a + b"),
    Case("a fence behind a greeting", ADD, "Here it is: ```python\nreturn a + b\n```", "a + b"),
    Case("the language's name alone", ADD, "python\nreturn a + b\n", "a + b"),
    Case("an empty block", ADD, "```python\n```", None),
    Case("blank lines in the block", ADD, "```python\n\n\nreturn a + b\n\n```", "a + b"),
    # Chatter.
    Case("a sentence before", ADD, "Here is the code:\n\n```python\nreturn a + b\n```", "a + b"),
    Case("a greeting before", ADD, "Sure! Here's the completion:\n```\na + b\n```", "a + b"),
    Case("without a fence", ADD, "Here is the completed line:\nreturn a + b\n", "a + b"),
    Case(
        "an explanation behind",
        ADD,
        "```python\nreturn a + b\n```\n\nThis adds the two numbers.",
        "a + b",
    ),
    Case("the same without a fence", ADD, "a + b\n\nThis function adds two numbers.", "a + b"),
    Case(
        "a list behind",
        SUM,
        "```python\nresult += item\n```\n\n- `result` is the sum.\n- `item` is a number.",
        "result += item",
    ),
    Case(
        "a list before",
        SUM,
        "To complete the loop:\n\n1. Add the item to the result.\n\n```python\nresult += item\n```",
        "result += item",
    ),
    Case("a heading before", ADD, "### Completed code\n```python\nreturn a + b\n```", "a + b"),
    Case("a bold heading", ADD, "**Completion:**\n```python\na + b\n```", "a + b"),
    Case("only a sentence", ADD, "The function should return the sum of both numbers.", None),
    Case("a sentence that names the code", ADD, "The missing code is `a + b`.", "a + b"),
    Case("a sentence with two names", ADD, "Add `a` and `b` to get the result.", None),
    Case("code in backticks", ADD, "`a + b`", "a + b"),
    Case("code in two backticks", ADD, "``a + b``", "a + b"),
    # Refusals.
    Case("a refusal", ADD, "I'm sorry, but I can't help with that.", None),
    Case("a refusal with a curly quote", ADD, "I\u2019m sorry, I can\u2019t do that.", None),
    Case("an assistant", ADD, "As an AI language model, I cannot write code.", None),
    Case(
        "a refusal with an example",
        ADD,
        "Unfortunately I do not know what is wanted. For example:\n```python\nreturn 1\n```",
        None,
    ),
    Case("a question", ADD, "Could you please provide more context?", None),
    Case("nothing", ADD, "", None),
    Case("blanks", ADD, " \n\n ", None),
    # Thinking aloud.
    Case("thoughts", ADD, "<think>\nThey want a sum.\n</think>\n\n```python\na + b\n```", "a + b"),
    Case("thoughts on a line", ADD, "<think></think>a + b", "a + b"),
    Case("unclosed thoughts", ADD, "<think>\nThe sum is\n```python\nreturn a\n```", None),
    Case("thoughts with code", ADD, "<think>`a - b`?\nreturn a\n</think>return a + b", "a + b"),
    Case("thoughts that the template began", ADD, "Both are added.\n</think>\na + b", "a + b"),
    Case("another tag", ADD, "<thinking>hm</thinking>\n\na + b", "a + b"),
    # Lines that are there already.
    Case("the cursor's line", ADD, "    return a + b", "a + b"),
    Case(
        "the whole function",
        ADD,
        "```python\ndef add(a, b):\n    return a + b\n```",
        "a + b",
    ),
    Case(
        "the line above and the cursor's",
        SUM.replace("$0", "result $0"),
        "```python\n    for item in items:\n        result += item\n```",
        "+= item",
    ),
    Case(
        "the whole function with what follows",
        SUM,
        "```python\ndef total(items):\n    result = 0\n    for item in items:\n"
        "        result += item\n    return result\n```",
        "result += item",
    ),
    Case(
        "the function with another first line",
        SUM,
        "```python\ndef total(items: list[int]) -> int:\n    result = 0\n"
        "    for item in items:\n        result += item\n    return result\n```",
        None,
    ),
    Case(
        "the function written anew",
        BODY,
        "```python\ndef add(a, b):\n    return a + b\n```",
        "return a + b",
    ),
    Case("only what is there", SUM, "```python\n    for item in items:\n```", None),
    Case("half of the line again", "x = compute(first, $0)\n", "first, second", "second"),
    Case("an operator again", "value $0\n", "= 3", "= 3"),
    Case("the operator twice", "value = $0\n", "= 3", "3"),
    Case("the rest of the line too", "x = max($0)\n", "x = max(1, 2)", "1, 2"),
    Case("the lines below", SUM, "result += item\n    return result", "result += item"),
    Case("another line instead", "x = foo($0", "x = bar(1)", None),
    Case(
        "two blocks",
        ADD,
        "```python\nreturn a + b\n```\nor\n```python\nreturn sum((a, b))\n```",
        "a + b",
    ),
    Case(
        "a block that repeats and one that goes on",
        SUM,
        "The loop:\n```python\nfor item in items:\n```\nThe code:\n```python\nresult += item\n```",
        "result += item",
    ),
    # Words.
    Case("the rest of a word", "def f():\n    retu$0\n", "rn 1", "rn 1"),
    Case("a word that is begun again", "def f():\n    retu$0\n", "return 1", "rn 1"),
    Case("a word that the document knows", "items = 3\nx = it$0\n", "ems + 1", "ems + 1"),
    Case("a word begun again behind others", "items = 3\nx = it$0\n", "items + 1", "ems + 1"),
    Case("no word", "items = 3\nx = it$0\n", "foo", None),
    Case("a blank that is missing", "def f(a):\n    return$0\n", "a", " a"),
    Case("a blank behind an operator", "x = 1\ny =$0\n", "x + 1", " x + 1"),
    Case("a blank too many", "x = $0\n", "  1", "1"),
    Case("a series", "x = 1\nx$0\n", "x = 1\nx += 2", " += 2"),
    # Indentation.
    Case("no indentation", BODY, "return a + b", "return a + b"),
    Case("too much indentation", BODY, "        return a + b", "return a + b"),
    Case(
        "a block without indentation",
        BODY,
        "```python\nif a:\n    return b\nreturn a\n```",
        "if a:\n        return b\n    return a",
    ),
    Case("a line that has none yet", OPEN, "```python\nreturn a + b\n```", "    return a + b"),
    Case("the document's own width", "def f():\n  if a:\n$0", "return 1", "    return 1"),
    Case("a body behind its header", "def add(a, b):$0\n", "return a + b", "\n    return a + b"),
    Case(
        "tabs",
        "func add(a int, b int) int {\n\tif a > 0 {\n\t\t$0\n\t}\n}\n",
        "```go\n        return a + b\n```",
        "return a + b",
        "go",
    ),
    Case(
        "blanks where the document has tabs",
        "def f(a, c):\n\tif a:\n\t\t$0\n",
        "```python\nfor b in c:\n    g(b)\n```",
        "for b in c:\n\t\t\tg(b)",
    ),
    Case("further out than the cursor", SUM, "    for item in items:\nreturn 1", None),
    # Characters.
    Case("CRLF", ADD, "```python\r\nreturn a + b\r\n```\r\n", "a + b"),
    Case("CRLF in the document", "def f():\r\n    return $0\r\n", "return 1\r\n", "1"),
    Case("not ASCII", 'name = "$0"\n', '```python\nname = "Jürgen 漢字 😀"\n```', "Jürgen 漢字 😀"),
    Case("escaped for HTML", "if a $0:\n", "```\nif a &lt; b and &quot;&quot;:\n```", '< b and ""'),
    Case("HTML in HTML", "<p>a $0</p>\n", "&lt; b", "&lt; b", "html"),
    Case("a quote in HTML", "x = $0\n", "&quot;a&quot;", '"a"'),
    Case("a control token", ADD, "return a + b<|eot_id|>\nmore", "a + b"),
    Case("half a character", ADD, "return a + \ufffd", "a +"),
    # The mark of the cursor.
    Case("the mark again", ADD, "```python\n    return <CURSOR>a + b\n```", "a + b"),
    Case("the mark behind", ADD, "```python\n    return a + b<CURSOR>\n```", "a + b"),
    Case("the mark and nothing else", ADD, "<CURSOR>", None),
    Case("the mark in its place", ADD, "```python\n    return <CURSOR>\n```", None),
    # Other documents.
    Case("JavaScript", JS, "```javascript\n  return a + b;\n```", "a + b;", "javascript"),
    Case("a comment", "# Adds $0\n", "both of the numbers", "both of the numbers"),
    Case("a comment's line", "# Adds $0\n", "# Adds both numbers.", "both numbers."),
    Case("a sentence", "The name $0\n", "of it is not known.", "of it is not known.", "markdown"),
    Case("a text", "The name $0\n", "Here is the text:\n\nThe name of it.", "of it.", "markdown"),
    Case("YAML", "steps:\n  - name: $0\n", "- name: Build", "Build", "yaml"),
    Case("a shell", "if [ -f a ]; then\n  $0\nfi\n", "```bash\n  rm a\n```", "rm a", "shellscript"),
)  # fmt: skip


async def suggest(case: Case) -> str | None:
    endpoint = ScriptedEndpoint(
        case.answer, MODEL, constrains=False, abilities=frozenset({Ability.CHAT})
    )
    outcome = await Engine(endpoint).complete(request_for(case.marked, language=case.language))
    assert outcome.trace["layout"] == "chat"
    return outcome.suggestions[0].text if outcome.suggestions else None


def test_there_are_enough() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_suggested(case: Case) -> None:
    assert await suggest(case) == case.expect


def extract(marked: str, answer: str, language: str, cuts: set[int], fence: bool) -> str:
    before = marked.partition("$0")[0].replace("\r\n", "\n")
    extraction = Extraction(
        Place.behind(before, indentation_width(before.split("\n"))),
        language,
        marker="<CURSOR>",
        fence=Fence("`", 3) if fence else None,
    )
    answer = answer.replace("\r\n", "\n")
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(answer)), len(answer)]
    pieces = [answer[low:high] for low, high in itertools.pairwise(edges)]
    return "".join(map(extraction.feed, pieces)) + extraction.finish()


@given(st.sampled_from(CASES), st.sets(st.integers(1, 200)), st.booleans())
@example(CASES[0], set(range(200)), False)
def test_how_the_stream_is_cut_makes_no_difference(case: Case, cuts: set[int], fence: bool) -> None:
    whole = extract(case.marked, case.answer, case.language, set(), fence)
    assert extract(case.marked, case.answer, case.language, cuts, fence) == whole
    each = set(range(len(case.answer)))
    assert extract(case.marked, case.answer, case.language, each, fence) == whole


_WORDS = (
    "a|return |\n|    |```|```python\n|`|<think>|</think>|&lt;|&|;|Here is the code:\n|def f():\n"
)
PIECES = st.sampled_from((_WORDS + "|<CURSOR>|<CUR|x = 1\n|\t|}|~~~|é|I'm sorry. ").split("|"))


@given(st.lists(PIECES, max_size=30), st.sampled_from(CASES), st.booleans())
def test_no_answer_is_read_differently_in_pieces(
    pieces: list[str], case: Case, fence: bool
) -> None:
    answer = "".join(pieces)
    whole = extract(case.marked, answer, case.language, set(), fence)
    assert "\0" not in whole
    assert extract(case.marked, answer, case.language, set(range(len(answer))), fence) == whole
