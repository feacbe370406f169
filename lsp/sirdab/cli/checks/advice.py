"""Which model would suit this machine best, and how to get it."""

import re
from typing import TYPE_CHECKING, Any

from sirdab.cli.checks.report import Check, Findings, ok, warning
from sirdab.models import recommend, speeds
from sirdab.models.recommend import CONTEXT_TOKENS, Recommendation

if TYPE_CHECKING:
    from sirdab.models.hardware import Hardware


def look(hardware: "Hardware", in_use: dict[str, Any] | None) -> Findings:
    """Return what is recommended, beside what is in use.

    Args:
        hardware: What this machine has.
        in_use: The facts on the model in use; None when there is none.
    """
    found = recommend.recommend(hardware, speeds.read(speeds.default_path()))
    memory = [
        {
            "name": option.title,
            "quantisation": option.quantisation,
            "weights_bytes": option.weights_bytes,
            "needed_bytes": {str(length): size for length, size in option.needed_bytes.items()},
            "fits": option.fits,
        }
        for option in recommend.options(hardware)
    ]
    if found is None:
        check = warning(
            "Advice", "no model fits into the memory of this machine; use a server on another one."
        )
        return Findings((check,), {"recommendation": None, "memory": memory})
    option = found.option
    facts = {
        "name": option.title,
        "quantisation": option.quantisation,
        "place": found.place,
        "reason": found.reason,
        "how": how_to_get(found),
        "weights_bytes": option.weights_bytes,
        "needed_bytes": option.needed_bytes[CONTEXT_TOKENS],
        "available_bytes": found.available_bytes,
        "context_tokens": CONTEXT_TOKENS,
        "licence": option.licence,
    }
    return Findings((_check(found, in_use),), {"recommendation": facts, "memory": memory})


def how_to_get(found: Recommendation) -> str:
    """Return what to run for a recommended model."""
    if found.downloadable is not None:
        return f"sirdab model pull {found.downloadable.id}"
    # Ollama's library names its models so (ollama.com/library/qwen2.5-coder).
    return f"sirdab model pull ollama:{found.option.family.id}:{found.option.size.name.lower()}"


def _check(found: Recommendation, in_use: dict[str, Any] | None) -> Check:
    name = str((in_use or {}).get("name", "")).lower()
    size = found.option.size.name.lower()
    # The same size of the same family, in whatever quantisation.
    family = found.option.family
    is_that_size = re.search(rf"(?<![\d.]){re.escape(size)}(?![a-z\d])", name) is not None
    if in_use and in_use["family"] == family.id and is_that_size:
        return ok("Advice", f"the model in use suits this machine: {found.reason}")
    needs = "start Ollama and run: " if found.place == "gpu" else "run: "
    return ok("Advice", f"{found.reason} To get it, {needs}{how_to_get(found)}")
