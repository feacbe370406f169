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

Context from beyond the file stands before all of it: comments as the beginning of the text, the
format for repositories before the first sentinel, as its file is. In prefix-as-middle, comments
are the prefix, so that typing still only appends.
"""

from dataclasses import dataclass

from sirdab.completion.heal import heal
from sirdab.models.catalog import Family, Layout


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and what its answer must begin with.

    Attributes:
        text: Sent as it is.
        backed_up: Text the answer has to begin with; not part of the suggestion.
        layout: Name of the layout used.
        mended: Control tokens that stand in the user's own text and are broken in the prompt; an
            answer that repeats one in its broken form means the real one.
    """

    text: str
    backed_up: str
    layout: Layout
    mended: tuple[str, ...] = ()


def build(
    family: Family, before: str, after: str, context: str = "", layout: Layout | None = None
) -> Prompt:
    """Write the prompt for a place.

    Args:
        family: The model's family.
        before: Text before the cursor, with LF line ends.
        after: Text after the cursor.
        context: What `sirdab.context` has written for the family; sent as it is.
        layout: The layout; the family's first one when left out, or when it is none of the
            family's.
    """
    healed = heal(before)
    tokens = family.sentinels
    mended = tuple(
        token for token in tokens if token in before or token in after or broken(token) in context
    )
    kept, suffix = neutralise(healed.kept, tokens), neutralise(after, tokens)
    chosen = layout if layout in family.layouts else family.layouts[0]
    text = _render(family, chosen, kept, suffix, context)
    return Prompt(text, healed.backed_up, chosen, mended)


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
