"""Says a place in a document in the words a model family was trained on.

Layouts (the sources of the sentinels are in `models/catalog.toml`):

- ``psm``: prefix, suffix, middle, as in "Efficient Training of Language Models to Fill in the
  Middle" (Bavarian et al., 2022).
- ``prefix-as-middle``: an empty prefix, the suffix, and the text before the cursor as the
  beginning of the middle. It is a valid sample of the same training (the paper's "SPM variant
  2"), and typing only appends to it, so a server that keeps its KV cache reads nothing but the
  typed tokens.
- ``prefix-only``: plain continuation, for models without such training.
"""

from dataclasses import dataclass

from sirdab.completion.heal import heal
from sirdab.models.catalog import Family


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and what its answer must begin with.

    Attributes:
        text: Sent as it is.
        backed_up: Text the answer has to begin with; not part of the suggestion.
        layout: Name of the layout used.
    """

    text: str
    backed_up: str
    layout: str


def build(family: Family, before: str, after: str) -> Prompt:
    """Write the prompt for a place.

    Args:
        family: The model's family; its first layout is used.
        before: Text before the cursor, with LF line ends.
        after: Text after the cursor.
    """
    healed = heal(before)
    kept = neutralise(healed.kept, family.sentinels)
    suffix = neutralise(after, family.sentinels)
    layout = family.layouts[0] if family.fim else "prefix-only"
    return Prompt(_render(family, layout, kept, suffix), healed.backed_up, layout)


def _render(family: Family, layout: str, kept: str, suffix: str) -> str:
    fim = family.fim
    if fim is None or layout == "prefix-only":
        return kept
    if layout == "prefix-as-middle":
        return f"{fim.prefix}{fim.suffix}{suffix}{fim.middle}{kept}"
    return f"{fim.prefix}{kept}{fim.suffix}{suffix}{fim.middle}"


def neutralise(text: str, sentinels: tuple[str, ...]) -> str:
    """Break the family's control tokens where they occur in the user's own text.

    A server reads them as commands otherwise: source code about language models would end
    its own prompt. A blank after the first character leaves the text readable to the model.
    """
    for token in sentinels:
        if token in text:
            text = text.replace(token, f"{token[:1]} {token[1:]}")
    return text
