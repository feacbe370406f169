"""Makes labelled lines with and without secrets from `tests/fixtures/secrets/recipes.toml`.

No secret stands in the repository: not even one made up, because scanners could not tell. The same
seed makes the same lines.
"""

import random
import re
import string
import tomllib
from pathlib import Path
from typing import NamedTuple

_RECIPES = Path(__file__).parents[1] / "fixtures" / "secrets" / "recipes.toml"
_PART = re.compile(r"\{(\w+) (\d+)\}")
_BASE62 = string.ascii_letters + string.digits
_ALPHABETS = {
    "b62": _BASE62,
    "hex": "0123456789abcdef",
    "low": string.ascii_lowercase + string.digits,
    "up": string.ascii_uppercase + string.digits,
    "b64": _BASE62 + "+/",
    "url": _BASE62 + "-_",
    "dig": string.digits[1:],
    "pw": _BASE62 + "!^*_+.~",
}
_WORDS = ("harbour", "velvet", "copper", "meadow", "lantern", "orchid", "granite", "saffron")


class Sample(NamedTuple):
    """One recipe, filled in.

    Attributes:
        group: The table and the list the recipe stands in, for example "secret.cloud".
        text: One or more lines.
        secrets: The places of the secrets in the text.
    """

    group: str
    text: str
    secrets: tuple[tuple[int, int], ...]


def samples(seed: int = 1, variants: int = 1) -> list[Sample]:
    """Make each recipe so many times with other random parts."""
    chance = random.Random(seed)
    tables = tomllib.loads(_RECIPES.read_text(encoding="utf-8"))
    return [
        _made(f"{table}.{name}", recipe, chance)
        for table, groups in tables.items()
        for name, recipes in groups.items()
        for recipe in recipes
        for _ in range(variants)
    ]


def _made(group: str, recipe: str, chance: random.Random) -> Sample:
    marked = _PART.sub(lambda part: _random(part[1], int(part[2]), chance), recipe.replace("|", ""))
    marked = marked.replace("{{", "{").replace("}}", "}")
    spans: list[tuple[int, int]] = []
    for number, found in enumerate(re.finditer("«([^»]*)»", marked)):
        # Two marks stand in the marked text for each secret before this one.
        start = found.start() - 2 * number
        spans.append((start, start + len(found[1])))
    return Sample(group, re.sub("[«»]", "", marked), tuple(spans))


def _random(kind: str, size: int, chance: random.Random) -> str:
    if kind == "word":
        words = [chance.choice(_WORDS) for _ in range(size)]
        return "".join(word.capitalize() for word in words) + str(chance.randint(100, 9999))
    made = "".join(chance.choice(_ALPHABETS[kind]) for _ in range(size))
    # What a generator of passwords promises: something of each kind.
    return f"{made[:-4]}k7R!" if kind == "pw" else made
