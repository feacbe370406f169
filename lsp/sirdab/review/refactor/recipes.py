"""How defects are mended in each language: examples that the model is shown (`recipes.toml`)."""

import tomllib
from functools import cache
from importlib import resources

_SCRIPTS = frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact"})


def recipe(rule_id: str, language_id: str) -> str:
    """Return code that shows how a rule's defect is mended, "" where there is none."""
    language = "script" if language_id in _SCRIPTS else language_id
    return _recipes().get(rule_id, {}).get(language, "").strip("\n")


@cache
def _recipes() -> dict[str, dict[str, str]]:
    data = resources.files("sirdab.review.refactor").joinpath("recipes.toml")
    return tomllib.loads(data.read_text(encoding="utf-8"))["recipes"]
