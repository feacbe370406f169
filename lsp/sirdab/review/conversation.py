"""Writes a conversation for the model that serves: in its own format, in messages, or plainly."""

import re
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from sirdab.endpoint.base import Ability, Message
from sirdab.models.catalog import Family

_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)


class Conversation(NamedTuple):
    """A conversation whose next turn is the model's.

    Attributes:
        prompt: The whole prompt, for a server that takes it as it is; else "".
        messages: The turns, for a server that writes the prompt itself; else empty.
        stop: Strings that end the answer.
    """

    prompt: str
    messages: tuple[Message, ...] = ()
    stop: tuple[str, ...] = ()

    @property
    def sent(self) -> str:
        """All the text that leaves the process."""
        return self.prompt + "".join(message.content for message in self.messages)


def write(
    family: Family,
    abilities: AbstractSet[Ability],
    task: str,
    *turns: str,
    begun: str = "",
    ends: str = "",
) -> Conversation:
    """Write a conversation.

    The family's own format is preferred, because the answer can be begun in it. Where it is not
    known, or the server takes no prompt as it is, the server writes the conversation down.

    Args:
        family: The model's family.
        abilities: What the server can do.
        task: What the model is to do.
        turns: What was said: the user's words, then the model's, and so on; the last are the
            user's.
        begun: How the answer begins, where it can be begun.
        ends: What ends an answer that was begun.
    """
    chat = family.chat if Ability.RAW in abilities else None
    own = (ends,) if ends else ()
    if chat is not None:
        return Conversation(chat.prompt(task, *turns) + begun, stop=(chat.end.strip(), *own))
    if Ability.CHAT in abilities:
        said = (
            Message("assistant" if number % 2 else "user", turn)
            for number, turn in enumerate(turns)
        )
        return Conversation("", (Message("system", task), *said))
    parts = [task]
    for number, turn in enumerate(turns):
        parts.append(f"### {'Answer' if number % 2 else 'Question'}\n{turn}")
    prompt = "\n\n".join((*parts, f"### Answer\n{begun}"))
    return Conversation(prompt, stop=("\n### ", *own))


def without_thoughts(answer: str) -> str:
    """Return an answer without what the model thought aloud before it."""
    return _THOUGHTS.sub("", answer)
