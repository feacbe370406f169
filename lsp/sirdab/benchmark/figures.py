"""What a replay adds up to, as far as it can be seen from the editor."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import PurePath
from typing import Any

from sirdab.benchmark.replay import EDITOR_BUDGET_MS, Keystroke
from sirdab.benchmark.score import count_errors
from sirdab.syntax.languages import language_of
from sirdab.text.store import Text


def keystroke_json(key: Keystroke) -> dict[str, Any]:
    """Return a keystroke as it is kept, judged by what would have been right."""
    kept: dict[str, Any] = {
        field.name: getattr(key, field.name)
        for field in fields(key)
        if field.name not in ("text", "point", "rest")
    }
    for name in ("at_ms", "next_ms", "asked_ms", "answered_ms"):
        kept[name] = None if kept[name] is None else round(kept[name], 1)
    return {
        **kept,
        "shown_ms": None if key.shown_ms is None else round(key.shown_ms, 1),
        **judge(key),
    }


def judge(key: Keystroke) -> dict[str, bool | None]:
    """Say of what was shown whether it was true, and whether it broke the syntax.

    `true`: all of it continues the file. `line`: its first line is what the line is to have yet.
    `breaks`: there are more syntax errors with it than without it and than with as many lines of
    the right text.
    """
    if not key.shown:
        return {"true": None, "line": None, "breaks": None}
    true = bool(key.rest) and key.rest.startswith(key.shown.rstrip())
    line = bool(key.rest) and key.shown.split("\n")[0].rstrip() == key.rest.split("\n")[0].rstrip()
    return {"true": true, "line": line, "breaks": not true and _breaks(key)}


def _breaks(key: Keystroke) -> bool | None:
    language = _language(key)

    def errors(insertion: str) -> int | None:
        text: Text = key.text.replace(key.point, key.point, insertion)
        return count_errors(text, language)

    lines = key.shown.count("\n") + 1
    right = "\n".join(key.rest.split("\n")[:lines])
    with_it, without, with_right = errors(key.shown), errors(""), errors(right)
    if with_it is None or without is None or with_right is None:
        return None
    return with_it > max(without, with_right)


def _language(key: Keystroke) -> str:
    return language_of(PurePath(key.session))


@dataclass(frozen=True, slots=True)
class Times:
    """Percentiles in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Times":
        """Sum values up."""
        ordered = sorted(values)
        if not ordered:
            return cls(0, 0.0, 0.0, 0.0)

        def at(share: float) -> float:
            return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)

        return cls(len(ordered), at(0.5), at(0.95), at(0.99))


def typed(keys: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the keys behind which an editor asks."""
    return [key for key in keys if key["kind"] != "leave"]


def summarise(keys: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Add up what a person has seen and taken.

    Args:
        keys: From `keystroke_json`.
    """
    asked = typed(keys)
    shown = [key for key in asked if key["shown"]]
    along = [key for key in shown if key["along"]]
    count = max(len(asked), 1)
    broken = [key["breaks"] for key in shown if key["breaks"] is not None]

    def within(limit: float) -> float:
        return share(asked, lambda key: key["shown_ms"] is not None and key["shown_ms"] <= limit)

    return {
        "keystrokes": len(asked),
        "shown": share(asked, lambda key: key["shown"]),
        "key_to_ghost_ms": times([key["shown_ms"] for key in shown]),
        "request_to_ghost_ms": times([key["answered_ms"] for key in shown]),
        "typing_along_request_to_ghost_ms": times([key["answered_ms"] for key in along]),
        "within_300_ms": within(300),
        "within_750_ms": within(750),
        "too_late_for_vscode": share(shown, lambda key: key["answered_ms"] > EDITOR_BUDGET_MS),
        "accepted_chars_per_keystroke": round(sum(key["accepted"] for key in asked) / count, 3),
        "acceptances": sum(key["kind"] == "accept" for key in asked),
        "true": share(shown, lambda key: key["true"]),
        "line_exact": share(shown, lambda key: key["line"]),
        "breaks_syntax": round(sum(broken) / len(broken), 4) if broken else 0.0,
        "sources": dict(Counter(key["source"] for key in shown).most_common()),
        "by_source": {
            source: {
                "shown": len(found),
                "true": share(found, lambda key: key["true"]),
                "line_exact": share(found, lambda key: key["line"]),
                "request_to_ghost_ms": times([key["answered_ms"] for key in found]),
            }
            for source in sorted({key["source"] for key in shown})
            if (found := [key for key in shown if key["source"] == source])
        },
    }


def share(of: Sequence[dict[str, Any]], holds: Callable[[dict[str, Any]], Any]) -> float:
    """Return the share for which something holds, from 0 to 1; 0 of nothing."""
    return round(sum(bool(holds(key)) for key in of) / max(len(of), 1), 4)


def times(values: Sequence[float]) -> dict[str, float]:
    """Return the percentiles of times in milliseconds, and how many there are."""
    found = Times.of(values)
    return {"p50": found.p50, "p95": found.p95, "p99": found.p99, "count": found.count}
