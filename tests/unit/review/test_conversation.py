"""How a model is talked to, by what is known of it and what its server can do."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from sirdab.endpoint.base import (
    LLAMACPP_ABILITIES,
    Ability,
    GenerationRequest,
    Message,
    ModelInfo,
)
from sirdab.endpoint.lane import Lane
from sirdab.models.catalog import family_of
from sirdab.review.conversation import write
from sirdab.review.edit import apply
from sirdab.review.gates import Gates
from sirdab.review.rewrite import Rewriter, Rewriting
from tests.support.review import SQL, ScriptedModel, answer, raw, review, settings, snapshot

QWEN = family_of("qwen2.5-coder-0.5b-instruct")
UNKNOWN = replace(family_of("mystery-7b"), chat=None)
RAW, CHAT = frozenset({Ability.RAW}), frozenset({Ability.CHAT})


def test_the_familys_own_format_comes_first() -> None:
    said = write(QWEN, LLAMACPP_ABILITIES, "Task.", "Ask.", begun="```\n", ends="\n```")
    assert said.prompt.endswith("Ask.<|im_end|>\n<|im_start|>assistant\n```\n")
    assert (said.messages, said.stop) == ((), ("<|im_end|>", "\n```"))


@pytest.mark.parametrize(
    ("family", "abilities"), [(QWEN, CHAT), (UNKNOWN, CHAT), (UNKNOWN, CHAT | RAW)]
)
def test_messages_where_the_server_has_to_write_them_down(
    family: object, abilities: frozenset[Ability]
) -> None:
    said = write(family, abilities, "Task.", "A", "B", "C", begun="```\n", ends="\n```")  # pyright: ignore[reportArgumentType]
    assert said.messages == (
        Message("system", "Task."),
        Message("user", "A"),
        Message("assistant", "B"),
        Message("user", "C"),
    )
    # What ends an answer that was begun would end this one at its opening fence.
    assert (said.prompt, said.stop, said.sent) == ("", (), "Task.ABC")


def test_plainly_where_nothing_is_known() -> None:
    said = write(UNKNOWN, RAW, "Task.", "A", "B", "C", begun="```\n", ends="\n```")
    assert said.prompt == (
        "Task.\n\n### Question\nA\n\n### Answer\nB\n\n### Question\nC\n\n### Answer\n```\n"
    )
    assert said.stop == ("\n### ", "\n```")


@dataclass
class Unknown(ScriptedModel):
    """A model of an unknown family, on a server that can do what a test says."""

    answer: str | Callable[[GenerationRequest], str] = ""
    abilities: frozenset[Ability] = CHAT

    async def acquire(self) -> "Unknown":
        return self

    async def describe(self) -> ModelInfo:
        info = await super().describe()
        return replace(info, name="some-model", abilities=self.abilities)


async def test_a_review_in_messages() -> None:
    model = Unknown(f"<think>\nHm.\n</think>\n```json\n{answer(raw())}\n```")
    found = await review(model, SQL)
    assert len(found.findings) == 1
    asked = model.requests[0]
    assert asked.prompt == ""
    assert [one.role for one in asked.messages][-3:] == ["user", "assistant", "user"]
    assert "SELECT" in asked.messages[-1].content


async def test_a_review_in_plain_words() -> None:
    model = Unknown(answer(raw()), abilities=RAW)
    assert len((await review(model, SQL)).findings) == 1
    assert "### Question" in model.requests[0].prompt
    assert model.requests[0].messages == ()


async def test_a_rewriting_in_messages() -> None:
    model = Unknown("Here it is:\n\n```python\nx = 2\n```\n\nIt is two now.")
    document = snapshot("x = 1\n")
    wanted = Rewriting("rewrite", document, settings(), (), (0, 0), "make it two")
    edits = await Rewriter(model, Lane(quiet_s=0), Gates()).rewrite(wanted)
    assert str(apply(document.text, edits)) == "x = 2\n"
    assert model.requests[0].stop == ()
