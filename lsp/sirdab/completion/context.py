"""What the engine needs to know of context from beyond the file; `sirdab.context` delivers it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sirdab.completion.request import CompletionRequest

if TYPE_CHECKING:
    from sirdab.completion.window import Window
    from sirdab.models.catalog import Family


class ContextPart(NamedTuple):
    """One piece of a block, for whoever asks what the prompt held.

    Attributes:
        kind: "definition", "similar" or "edit".
        path: Of its file, relative to the workspace folder where it lies in one.
        first_line: Number of its first line, 1-based.
        last_line: Of its last one, inclusive.
        characters: What it takes in the prompt.
    """

    kind: str
    path: str
    first_line: int
    last_line: int
    characters: int


@dataclass(frozen=True, slots=True)
class ContextBlock:
    """Context as it stands in a prompt.

    Attributes:
        text: Stands before everything else; "" for none.
        parts: What it is made of.
    """

    text: str = ""
    parts: tuple[ContextPart, ...] = ()


class ContextSource(Protocol):
    """Holds the block of each document."""

    def block(
        self,
        request: CompletionRequest,
        family: "Family",
        characters: int,
        room: int,
        window: "Window",
    ) -> ContextBlock:
        """Return the block as it is: the same bytes until the document has been at rest.

        Args:
            request: Whose document it is.
            family: Of the model that will read it.
            characters: Most characters that are worth their time on this machine.
            room: Most characters that the model can take at all.
            window: The part of the document that the prompt holds anyway.
        """
        ...
