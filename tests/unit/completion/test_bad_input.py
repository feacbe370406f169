"""Documents and answers that nobody wants: there may be no suggestion, but never an error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sirdab.completion.engine import Engine
from sirdab.completion.request import Outcome, Reason
from sirdab.endpoint.base import Chunk, GenerationRequest
from sirdab.text.store import Text
from tests.support.completion import ScriptedEndpoint, complete, request_for

DOCUMENTS = {
    "empty": "$0",
    "binary": "\0\1\2$0\xff\xfe",
    "one long line": "x" * 2_500_000 + "$0" + "x" * 2_500_000,
    "a long line elsewhere": "x = '" + "a" * 5_000_000 + "'\ny = $0\n",
    "mixed line ends": "a = 1\r\nb = 2\rc = 3\nd = $0\r\ne = 4\r",
    "lone carriage returns": "if a:\r    b = $0\r    c = 1\r",
    "half a surrogate pair": "a = '\ud83d'\nb = $0\n",
    "control characters": "a = '\x1b[31m\u202e'\nb = $0\n",
    "only blanks": "   \n\t\n  $0\n\n",
    "only closers": "}}}}))))\n$0\n]]]]\n",
    "deep": "(" * 3_000 + "$0\n",
    "open string": '"""' * 1_001 + "\n$0\n",
    "conflict": "<<<<<<< HEAD\na = $0\n=======\na = 2\n>>>>>>> other\n",
}
LANGUAGES = ("python", "typescript", "lua", "c", "plaintext", "no such language", "")
ANSWERS = (
    "",
    "1\n",
    "\n" * 50,
    "a = 1\n    b = 2\n}\n)\nend\n" * 3,
    "\ud83d\n",
    "\ufffd",
    "\u202e1\u2066\x1b[0m\n",
    "\0\0\0",
    "(" * 500,
    '"""' * 200,
    "<|fim_middle|>1",
)


def is_sound(outcome: Outcome) -> bool:
    """Whether an outcome is an answer and not a fault, and can be shown and sent."""
    texts = [one.text for one in outcome.suggestions]
    for text in texts:
        text.encode("utf-8")
    return (
        outcome.reason is not Reason.INTERNAL
        and outcome.detail.endswith(".")
        and bool(texts) == (outcome.reason is Reason.SUGGESTED)
        and not any(set(text) & set("\0\x1b\u202e\u2066\ufffd") for text in texts)
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
async def test_a_document(document: str, language: str) -> None:
    for multiline in ("auto", "always"):
        outcome, _ = await complete(document, "1\n", language=language, multiline=multiline)
        assert is_sound(outcome), outcome.reason


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answer", ANSWERS)
async def test_an_answer(answer: str, language: str) -> None:
    for marked in ("def f(a):\n    $0\n", "f(a, $0)\n", "x = $0 + total\ny = 1\n"):
        for multiline in ("auto", "always"):
            outcome, _ = await complete(marked, answer, language=language, multiline=multiline)
            assert is_sound(outcome), outcome.reason


@pytest.mark.parametrize(
    ("marked", "reason"),
    [
        ("a = 1\n" + "\n" * 20_000 + "$0", Reason.SUGGESTED),
        ("\n" * 20_000 + "a = 1\n\n$0", Reason.SUGGESTED),
        ("\n" * 20_000 + "abc$0", Reason.SUGGESTED),
        ("\n" * 20_000 + "$0", Reason.NO_CONTEXT),
    ],
)
async def test_blank_lines_are_not_all_looked_at(
    marked: str, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = 0
    line_body = Text.line_body

    def counted(text: Text, number: int) -> str:
        nonlocal looked
        looked += 1
        return line_body(text, number)

    monkeypatch.setattr(Text, "line_body", counted)
    outcome, _ = await complete(marked, "b = 2\n")
    assert outcome.reason is reason
    assert looked < 2_000


async def test_line_ends_of_a_suggestion_are_the_documents() -> None:
    outcome, _ = await complete("a = 1\r\nif a:\r\n    $0\r\n", "b = 1\n    c = 2\n\n")
    assert outcome.suggestions[0].text == "b = 1\r\n    c = 2"


@dataclass
class InPieces(ScriptedEndpoint):
    """A model whose answer comes in pieces of given sizes, over and over."""

    sizes: tuple[int, ...] = (1,)

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        whole = request.begins_with + self.answer

        async def stream() -> AsyncIterator[Chunk]:
            at, turn = 0, 0
            while at < len(whole):
                size = self.sizes[turn % len(self.sizes)]
                yield Chunk(whole[at : at + size])
                at, turn = at + size, turn + 1

        yield stream()


PIECES = st.sampled_from(
    (
        *("a", "total", " ", "\n", "    ", "(", ")", "{", "}", "[", "]", '"', "'", ":", "=", ","),
        *(
            "return ",
            "if ",
            "end",
            "else",
            "# ",
            "\r",
            "\t",
            "\ud83d",
            "\ude00",
            "\u202e",
            "\ufffd",
        ),
        *("<|fim_middle|>", "< |fim_middle|>", "<|endoftext|>", "\n\n", "x = 1\n", "0, "),
    )
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)
PLACES = st.sampled_from(
    (
        "def f(a):\n    $0\n",
        "def f(a):\n    return a$0\n\n\ndef g():\n    pass\n",
        "x = f(a, $0)\nprint(x)\n",
        "x = $0 + total\n",
        "END = '<|fim_middle|>'\nALL = [$0\n",
        "if a:\r\n    $0\r\nelse:\r\n    b()\r\n",
    )
)


async def outcome_of(marked: str, answer: str, sizes: tuple[int, ...]) -> Outcome:
    endpoint = InPieces(answer, sizes=sizes)
    return await Engine(endpoint).complete(request_for(marked))


@given(PLACES, TEXTS, st.lists(st.integers(1, 9), min_size=1, max_size=5).map(tuple))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_how_an_answer_is_cut_makes_no_difference(
    marked: str, answer: str, sizes: tuple[int, ...]
) -> None:
    whole = await outcome_of(marked, answer, (len(answer) + 100,))
    pieces = await outcome_of(marked, answer, sizes)
    assert is_sound(whole)
    assert (pieces.reason, [one.text for one in pieces.suggestions]) == (
        whole.reason,
        [one.text for one in whole.suggestions],
    )


@given(PLACES, TEXTS)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_what_stands_below_is_not_said_again(marked: str, answer: str) -> None:
    outcome = await outcome_of(marked, answer, (1,))
    below = [line for line in Text(marked.split("$0")[1]).lines(1) if line.strip()]
    for one in outcome.suggestions:
        said = [line for line in one.text.replace("\r\n", "\n").split("\n")[1:] if line.strip()]
        # The end of a suggestion is not the beginning of what follows it.
        assert not below or not said or said[-1].strip() != below[0].strip() or len(said[-1]) < 3
