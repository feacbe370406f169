"""The refactorings that are offered: what each is called, asked and held to."""

from dataclasses import dataclass
from typing import Literal

Name = Literal["document", "types", "simplify", "faster", "errors", "extract"]

_TYPED = frozenset({"python", "typescript", "typescriptreact"})
_PARSED = frozenset(
    {"c", "cpp", "go", "java", "javascript", "javascriptreact", "lua", "python", "rust",
     "typescript", "typescriptreact"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One refactoring that rewrites code.

    Attributes:
        name: Its short, stable name.
        title: What a person chooses.
        doing: What a person reads while it is done.
        extracts: Whether it makes a function of code, and so needs a selection.
        task: What the model is told.
        languages: Languages in which it makes sense and can be checked; all when empty.
    """

    name: Name
    title: str
    doing: str
    task: str
    extracts: bool = False
    languages: frozenset[str] = frozenset()


KINDS: dict[Name, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "document",
            "Document",
            "Documenting",
            "Add a short documentation comment that says what the code does, what it takes and "
            "what it gives back. Change no code.",
        ),
        Kind(
            "types",
            "Add types",
            "Adding types",
            "Add a type annotation to each parameter and each return value that has none. Change "
            "nothing else.",
            languages=_TYPED,
        ),
        Kind(
            "simplify",
            "Simplify",
            "Simplifying",
            "Make the code shorter and easier to read. It must do exactly the same as before, with "
            "the same names of functions and parameters.",
        ),
        Kind(
            "faster",
            "Make faster",
            "Making faster",
            "Make the code do less work: no needless loops, copies, searches or repeated calls. "
            "It must return exactly the same as before, with the same names of functions and "
            "parameters.",
        ),
        Kind(
            "errors",
            "Handle errors",
            "Handling errors",
            "Handle what can go wrong in the code: around the calls that can fail, catch the "
            "specific errors that they raise, and check the input where needed. Raise or return an "
            "error that says what went wrong; never ignore one, and never wrap the whole body. "
            "Keep the names of functions and parameters.",
        ),
        Kind(
            "extract",
            "Extract function",
            "Extracting",
            "Move {lines} into a new function with a telling name, placed directly before the "
            "function that they are in, and call the new function in their place. It takes what "
            "they read as parameters and returns what is used after them. Change nothing else.",
            extracts=True,
            languages=_PARSED,
        ),
    )
}
"""All refactorings that rewrite code, in the order in which they are offered."""


def offered(language_id: str) -> tuple[Kind, ...]:
    """Return the refactorings that make sense in a language of code."""
    return tuple(
        kind for kind in KINDS.values() if not kind.languages or language_id in kind.languages
    )
