"""The catalog: model families and downloadable models, read from data files.

The data files are the only place that holds facts about models:

- `catalog.toml`: families that were trained to fill in the middle,
- `catalog_chat.toml`: families that only continue text or chat, and the last family, which takes
  what nobody else knows,
- `downloads.toml`: models that can be fetched.

A user's own families (`sirdab.models.user_families`) are tried before all of these.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sirdab.models.catalog_file import (
    CatalogMistakeError,
    read_downloads,
    read_families,
    read_toml,
)
from sirdab.models.downloads import Downloadable, HuggingFaceSource, WheelSource
from sirdab.models.family import (
    LAYOUTS,
    WITH_SENTINELS,
    Chat,
    ContextStyle,
    Family,
    Fim,
    Layout,
    LayoutFigure,
    Repository,
    Size,
)

__all__ = [
    "DEFAULT_MODEL",
    "FILES",
    "LAYOUTS",
    "WITH_SENTINELS",
    "Catalog",
    "Chat",
    "ContextStyle",
    "Downloadable",
    "Family",
    "Fim",
    "HuggingFaceSource",
    "Layout",
    "LayoutFigure",
    "Repository",
    "Size",
    "WheelSource",
    "default_model",
    "downloadable_models",
    "families",
    "family_of",
    "known_family_of",
    "load",
    "model_named",
    "parse",
    "suggestion_for",
    "user_family_of",
]

DEFAULT_MODEL = "qwen2.5-coder-0.5b"
"""Id of the model that is meant where nothing else is said."""

FILES = ("catalog.toml", "catalog_chat.toml", "downloads.toml")
"""The data files, in the order in which their families are tried."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything in the data files."""

    families: tuple[Family, ...]
    models: tuple[Downloadable, ...]


def families() -> tuple[Family, ...]:
    """Return our families in the order they are tried; the last matches everything."""
    return load().families


def family_of(*names: str) -> Family:
    """Return the family a model belongs to by its name: the user's own ones come first.

    Args:
        names: Names of one model or of its file, in any case, the surest first. Of a path only
            the last part counts, because folders are named by their owner.
    """
    return user_family_of(*names) or known_family_of(*names)


def user_family_of(*names: str) -> Family | None:
    """Return the family of the user's `models.toml` that a name belongs to, or None."""
    from sirdab.models.user_families import user_families

    return _match(user_families().families, names)


def known_family_of(*names: str) -> Family:
    """Return our family that a name belongs to; the default one when there is no other."""
    *known, default = families()
    return _match(known, names) or default


def _match(known: Iterable[Family], names: tuple[str, ...]) -> Family | None:
    candidates = tuple(known)
    for name in names:
        last = re.split(r"[\\/]", name.strip().lower())[-1]
        for family in candidates:
            if family.matches(last):
                return family
    return None


def downloadable_models() -> tuple[Downloadable, ...]:
    """Return the models that can be fetched, the default one first."""
    return load().models


def model_named(name: str) -> Downloadable | None:
    """Return the downloadable model that a name means, or None."""
    return next((model for model in downloadable_models() if model.is_named(name)), None)


def default_model() -> Downloadable:
    """Return the model that is meant where nothing else is said."""
    return next(model for model in downloadable_models() if model.id == DEFAULT_MODEL)


def suggestion_for(name: str) -> str:
    """Return a clause that helps who wrote an unknown model name, for the end of a sentence."""
    ids = [model.id for model in downloadable_models()]
    near = difflib.get_close_matches(name.lower(), ids, n=1)
    return f"did you mean {near[0]}?" if near else f"known models: {', '.join(ids)}."


def parse(*texts: str) -> Catalog:
    """Read a catalog.

    Args:
        texts: Contents of the data files. Families and models may stand in any of them; ids are
            unique over all.

    Raises:
        ValueError: They are not a catalog: a fact or its source is missing, or a pattern does not
            compile. The files are part of the program, so this is a programming error.
    """
    found: list[Family] = []
    models: list[Downloadable] = []
    try:
        for text in texts:
            tree = read_toml(text)
            if "families" in tree:
                found += read_families(tree, known={}, ours=True)
            if "models" in tree:
                models += read_downloads(tree)
    except CatalogMistakeError as error:
        raise ValueError(f"the model catalog is not valid: {error.message}") from error
    if not found or len({family.id for family in found}) != len(found) or not models:
        raise ValueError("the model catalog is not valid: families or models are missing or double")
    return Catalog(tuple(found), tuple(models))


@cache
def load() -> Catalog:
    """Return the catalog that is part of the program."""
    folder = resources.files("sirdab.models")
    return parse(*(folder.joinpath(name).read_text(encoding="utf-8") for name in FILES))
