"""Which rules can be mended without a model, and by what."""

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module

from sirdab.review.refactor.mechanical.case import Case, Change

PYTHON = ("python",)
SCRIPT = ("javascript", "javascriptreact", "typescript", "typescriptreact")

Mender = Callable[[Case], list[Change] | None]
"""Returns the changes that mend a finding; None or none where it is not the plain case."""

# One module a family; each registers its own when it is imported.
_FAMILIES = ("adding", "comparing", "defaults", "disabled", "hardening", "numbers", "results")

_registered: dict[tuple[str, str], list[Mender]] = {}


def mends(rule: str, *languages: str) -> Callable[[Mender], Mender]:
    """Register a function for a rule in some languages; several are tried in turn."""

    def register(function: Mender) -> Mender:
        for language in languages:
            _registered.setdefault((rule, language), []).append(function)
        return function

    return register


def menders(rule: str, language_id: str) -> Iterator[Mender]:
    """Yield what may mend a rule in a language."""
    yield from _all().get((rule, language_id), ())


def known(rule: str, language_id: str) -> bool:
    """Whether anything may mend a rule in a language."""
    return (rule, language_id) in _all()


@cache
def _all() -> dict[tuple[str, str], list[Mender]]:
    for name in _FAMILIES:
        import_module(f"sirdab.review.refactor.mechanical.{name}")
    return _registered
