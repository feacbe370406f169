"""What a replay adds up to, with what the model server had to do for it."""

from collections.abc import Sequence
from typing import Any

from bench.replay.relay import UNTOLD
from sirdab.benchmark import figures
from sirdab.benchmark.replay import Keystroke


def keystroke_json(contestant: str, round_id: str, key: Keystroke) -> dict[str, Any]:
    """Return a keystroke of one contestant as it is kept."""
    return {
        "contestant": contestant,
        "round": round_id,
        **figures.keystroke_json(key),
        "rest": key.rest[:120],
        "before": key.text.line_body(key.point.line)[: key.point.column][-80:],
    }


def summarise(
    keys: Sequence[dict[str, Any]], exchanges: Sequence[dict[str, Any]], seconds: float = 0.0
) -> dict[str, Any]:
    """Add up one contestant.

    Args:
        keys: From `keystroke_json`.
        exchanges: What its model server had to do.
        seconds: Processor time that it took for that.
    """
    typed = figures.typed(keys)
    shown = [key for key in typed if key["shown"]]
    count = max(len(typed), 1)
    read = sum(one["evaluated"] for one in exchanges)
    ahead = sum(one["evaluated"] for one in exchanges if one["silent"])
    asked = [one for one in exchanges if one["total"] and not one["silent"]]
    sent = [one for one in exchanges if one["path"] != UNTOLD]
    return {
        **figures.summarise(keys),
        "processor_ms_per_keystroke": round(seconds * 1000 / count),
        "tokens_read_per_keystroke": round(read / count, 2),
        "of_them_read_ahead": round(ahead / count, 2),
        "tokens_read_per_suggestion": round(read / max(len(shown), 1), 1),
        "tokens_read_per_accepted_character": round(
            read / max(sum(key["accepted"] for key in typed), 1), 1
        ),
        "prompt_tokens": round(sum(one["total"] for one in asked) / max(len(asked), 1)),
        "tokens_written_per_keystroke": round(
            sum(one["generated"] for one in exchanges) / count, 2
        ),
        "requests": len(sent),
        "requests_cancelled": sum(one["cancelled"] for one in sent),
        "of_them_for_nobody": round((read - sum(one["evaluated"] for one in sent)) / count, 2),
    }
