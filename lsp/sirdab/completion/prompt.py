"""Says a place in a document in the words a model family was trained on.

Layouts (the sources of the sentinels are in `models/catalog.toml`):

- ``psm``: prefix, suffix, middle, as in "Efficient Training of Language Models to Fill in the
  Middle" (Bavarian et al., 2022).
- ``spm``: suffix first, in the very order that the family defines for it (`Fim.spm`). Families do
  not agree: some name the suffix and then the prefix, others (the paper's "variant 2") put the text
  before the cursor behind the sentinel of the middle. Typing only appends.
- ``prefix-as-middle``: an empty prefix, the suffix, and the text before the cursor as the
  beginning of the middle. It is a valid sample of the same training (the paper's "SPM variant
  2"), and typing only appends to it, so a server that keeps its KV cache reads nothing but the
  typed tokens.
- ``prefix-only``: plain continuation, for models without such training.
- ``insert``: the server writes the prompt; it is given the text before and the text after.
- ``chat``: the gap is asked for in words (`sirdab.completion.chat_fill`).

Context from beyond the file stands before all of it: comments as the beginning of the text, the
format for repositories before the first sentinel, as its file is. In prefix-as-middle, comments
are the prefix, so that typing still only appends.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sirdab.completion import layout as layouts
from sirdab.completion.chat_fill import asking
from sirdab.completion.chat_fill.fence import Fence
from sirdab.completion.heal import heal
from sirdab.endpoint.base import LLAMACPP_ABILITIES, Ability, Message
from sirdab.models.catalog import Family, Layout


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and what its answer must begin with.

    Attributes:
        text: Sent as it is; the text before the place where the server writes the prompt, and ""
            where messages are sent.
        backed_up: Text the answer has to begin with; not part of the suggestion.
        layout: Name of the layout used.
        mended: Control tokens that stand in the user's own text and are broken in the prompt; an
            answer that repeats one in its broken form means the real one.
        suffix: The text after the place, for a server that writes the prompt; None elsewhere.
        messages: What is sent to a server that takes messages only; empty elsewhere.
        begins_with: What a server that can is to begin the answer with: `backed_up`, or with
            messages what belongs to the answer but is found there by what it says.
        stop: What ends the answer, besides what its shape says.
        fence: The fence within which the answer goes on, right at the cursor; None elsewhere.
        marker: What the cursor was marked with in messages; "" elsewhere.
    """

    text: str
    backed_up: str
    layout: Layout
    mended: tuple[str, ...] = ()
    suffix: str | None = None
    messages: tuple[Message, ...] = ()
    begins_with: str = ""
    stop: tuple[str, ...] = ()
    fence: Fence | None = None
    marker: str = ""

    @property
    def is_raw(self) -> bool:
        """Whether it is read as it is, so that its beginning can be read ahead of the rest."""
        return not self.messages and self.suffix is None

    @property
    def sent(self) -> str:
        """All the text that leaves the process, for the audit trail and for counting."""
        return "".join((self.text, self.suffix or "", *(one.content for one in self.messages)))


def build(
    family: Family,
    before: str,
    after: str,
    context: str = "",
    layout: Layout | None = None,
    *,
    abilities: AbstractSet[Ability] = LLAMACPP_ABILITIES,
    language_id: str = "",
    one_line: bool = False,
) -> Prompt:
    """Write the prompt for a place.

    Args:
        family: The model's family.
        before: Text before the cursor, with LF line ends.
        after: Text after the cursor.
        context: What `sirdab.context` has written for the family; sent as it is.
        layout: The layout; the first one of the family's that the server can be asked in when
            left out, or when it cannot be asked in this one.
        abilities: What the server can do.
        language_id: The document's language.
        one_line: Whether only the rest of the cursor's line is wanted.

    Raises:
        EndpointError: The server can be asked in no layout.
    """
    tokens = family.sentinels
    mended = tuple(
        token for token in tokens if token in before or token in after or broken(token) in context
    )
    chosen = layouts.choose(family, abilities, layout)
    suffix = neutralise(after, tokens)
    chat = family.chat if layouts.chats_raw(family, abilities) else None
    if chosen == "chat" and not layouts.goes_on(family, abilities):
        text = neutralise(before, tokens)
        asked = asking.asked(text, suffix, context, language_id, one_line=one_line)
        begun = asked.begins_with if Ability.BEGINS_WITH in abilities else ""
        return Prompt(
            "", "", chosen, mended, messages=asked.messages, begins_with=begun, marker=asked.marker
        )
    healed = heal(before, words=Ability.BEGINS_WITH in abilities)
    kept, back = neutralise(healed.kept, tokens), healed.backed_up
    if chosen == "chat":
        asked = asking.begun(chat, kept, suffix, context, language_id)
        return Prompt(
            asked.prompt,
            back,
            chosen,
            mended,
            messages=asked.messages,
            begins_with=back,
            stop=asked.stop,
            fence=asked.fence,
        )
    if chosen == "insert":
        # Comments are the beginning of any text; what else there is would be none of the server's.
        above = context if family.context_style == "comments" else ""
        return Prompt(f"{above}{kept}", back, chosen, mended, suffix=suffix, begins_with=back)
    text = _render(family, chosen, kept, suffix, context)
    return Prompt(text, back, chosen, mended, begins_with=back)


def _render(family: Family, layout: Layout, kept: str, suffix: str, context: str) -> str:
    fim = family.fim
    if fim is None or layout == "prefix-only":
        return f"{context}{kept}"
    first, above = (context, "") if family.context_style == "repository" else ("", context)
    if layout == "prefix-as-middle":
        return f"{first}{fim.prefix}{above}{fim.suffix}{suffix}{fim.middle}{kept}"
    if layout == "spm":
        # Not a replacement in the whole: the user's text may hold the names of the places.
        head, _, rest = fim.spm.partition("{suffix}")
        between, _, tail = rest.partition("{prefix}")
        return f"{first}{head}{suffix}{between}{above}{kept}{tail}"
    return f"{first}{fim.prefix}{above}{kept}{fim.suffix}{suffix}{fim.middle}"


def broken(token: str) -> str:
    """Return the form in which a control token of the user's own text is sent."""
    return f"{token[:1]} {token[1:]}"


def neutralise(text: str, sentinels: tuple[str, ...]) -> str:
    """Break the family's control tokens where they occur in the user's own text.

    A server reads them as commands otherwise: source code about language models would end
    its own prompt. A blank after the first character leaves the text readable to the model.
    """
    for token in sentinels:
        if token in text:
            text = text.replace(token, broken(token))
    return text
