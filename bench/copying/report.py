"""Writes the tables of the bench, and the figures that Sirdab reads."""

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from bench.copying.bars import (
    FILLS_IN,
    LEAST_ASKED,
    SURE,
    OnAndOff,
    curve,
    instant_bars,
    on_and_off,
    sure_bars,
)
from bench.copying.fit import Case
from bench.copying.model import Pair
from bench.copying.results import RESULTS, save
from sirdab.completion.copying.confidence import FILE, KINDS, Kind

Row = Sequence[object]

HEAD = """\
# Written by `python -m bench.copying report`, which says how it was measured; do not edit.
#
# `weights` and `intercept` are a logistic regression: how likely the rest of the line is right.
# `further` is how often a further line is right where one, two, and more places have it.
# A bar is the least confidence with which a copy is offered: `instant` in place of the model,
# `stand_in` where the model does not answer. A kind of place without a bar gets none.
"""


def curves(judged: Sequence[Case], fresh: Sequence[Case], weights: Sequence[float]) -> Any:
    """Return how often predictions are right, by confidence, in code that was not fitted."""
    found: dict[str, Any] = {"bars": sure_bars([*judged, *fresh], weights)}
    for name, cases in (("packages", judged), ("fresh", fresh)):
        groups = {group: [c for c in cases if c.group == group] for group in _groups(cases)}
        found[name] = {
            "places": len(cases),
            "exact": _share([case.right for case in cases]),
            "by_group": {group: _share([c.right for c in own]) for group, own in groups.items()},
            "curve": [one._asdict() for one in curve(cases, weights)],
            "kinds": {
                kind: [
                    one._asdict() for one in curve([c for c in cases if c.kind == kind], weights)
                ]
                for kind in KINDS
            },
        }
    return found


def _groups(cases: Sequence[Case]) -> list[str]:
    return list(dict.fromkeys(case.group for case in cases))


def _share(rights: Sequence[bool]) -> float:
    return round(sum(rights) / len(rights), 4) if rights else 0.0


def write(raw: dict[str, Any]) -> None:
    """Write the calibration and the tables from what was measured."""
    models: dict[str, dict[Kind, float | None]] = {}
    others: dict[Kind, float | None] = raw["curves"]["bars"]
    compared: dict[str, dict[str, OnAndOff]] = {}
    for model, entries in raw.get("beside", {}).items():
        pairs = [Pair(**entry) for entry in entries]
        if sum(pair.confidence >= FILLS_IN for pair in pairs) >= LEAST_ASKED:
            models[model] = instant_bars(pairs)
        compared[model] = {
            name: on_and_off(chosen, raw["strata"], models.get(model, others))
            for name, chosen in (
                ("all", pairs),
                ("newer than the model", [pair for pair in pairs if pair.fresh]),
                ("may be known to it", [pair for pair in pairs if not pair.fresh]),
            )
            if chosen
        }
    raw["bars"] = models
    raw["on_and_off"] = {
        model: {name: one._asdict() for name, one in found.items()}
        for model, found in compared.items()
    }
    raw["machine"] = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    save(raw)
    FILE.write_text(calibration_of(raw, models), encoding="utf-8")
    (RESULTS / "copying.md").write_text(page(raw), encoding="utf-8")


def calibration_of(raw: Mapping[str, Any], models: Mapping[str, dict[Kind, float | None]]) -> str:
    """Return the file that Sirdab reads."""
    stand_in: dict[Kind, float | None] = dict.fromkeys(KINDS, FILLS_IN)
    lines = [HEAD, f"intercept = {raw['fit']['intercept']}", f"further = {raw['fit']['further']}"]
    lines += ["", "[weights]"]
    lines += [f'"{name}" = {weight}' for name, weight in raw["fit"]["weights"].items()]
    for model, bars in models.items():
        lines += ["", "[[models]]", f'model = "{model}"', *_bars(bars, stand_in)]
    lines += ["", "# Beside any other model.", "[other]", *_bars(raw["curves"]["bars"], stand_in)]
    return "\n".join(lines) + "\n"


def _bars(
    instant: Mapping[Kind, float | None], stand_in: Mapping[Kind, float | None]
) -> tuple[str, str]:
    return f"instant = {_inline(instant)}", f"stand_in = {_inline(stand_in)}"


def _inline(bars: Mapping[Kind, float | None]) -> str:
    return "{ " + ", ".join(f"{kind} = {bar}" for kind, bar in bars.items() if bar) + " }"


def page(raw: Mapping[str, Any]) -> str:
    """Return the tables."""
    found = raw["curves"]
    lines = [
        "# Copying: the instant answer",
        "",
        "Written by `python -m bench.copying report`, which says how it is measured.",
        f"{raw['machine']}.",
        "",
        "## How often it is right",
        "",
        "The rest of the line, at places where a key has just been pressed (a quarter of them at",
        "the start of a line), with only the text before the cursor and six open files. The",
        f"confidence was fitted on {raw['fit']['places']} places in other packages. Shares are of",
        "all places.",
        "",
        *_table(
            ("confidence from", "packages: share", "right", "fresh code: share", "right"),
            [
                (
                    one["bar"],
                    _percent(one["share"]),
                    _percent(one["precision"]),
                    *_beside(one, found),
                )
                for one in found["packages"]["curve"]
            ],
        ),
        "",
        f"Exact at any confidence: {_percent(found['packages']['exact'])} of "
        f"{found['packages']['places']} places in packages, {_percent(found['fresh']['exact'])} of "
        f"{found['fresh']['places']} in fresh code ("
        + ", ".join(f"{name} {_percent(one)}" for name, one in found["fresh"]["by_group"].items())
        + ").",
        "",
        "## The bars",
        "",
        "How sure a copy has to be in place of a model; where the model does not answer, it is",
        f"{FILLS_IN}. Beside a model that was asked at fewer than {LEAST_ASKED} places with such a",
        f"copy, {_percent(SURE)} of the copies must be right.",
        "",
        *_table(
            ("beside", *KINDS),
            [
                *(
                    (model, *(bars[kind] or "never" for kind in KINDS))
                    for model, bars in raw["bars"].items()
                ),
                ("any other", *(found["bars"][kind] or "never" for kind in KINDS)),
            ],
        ),
    ]
    for model, entries in raw.get("beside", {}).items():
        pairs = [Pair(**entry) for entry in entries]
        lines += ["", f"## Beside {model}", "", *_beside_model(pairs), ""]
        lines += _table(
            (
                "code", "places", "instant", "exact off", "exact on", "precision off",
                "precision on", "median off, ms", "median on, ms",
            ),
            [
                (
                    name, one["places"], _percent(one["instant"]), _percent(one["exact_off"]),
                    _percent(one["exact_on"]), _percent(one["precision_off"]),
                    _percent(one["precision_on"]), one["median_off_ms"], one["median_on_ms"],
                )
                for name, one in raw["on_and_off"][model].items()
            ],
        )  # fmt: skip
    lines += [
        "",
        "The same places without and with the instant answer; the places that were asked stand",
        "for all, each for as many as have a confidence like its own. Times are of a model that",
        "had not read the place before; with the instant answer on, the search for it is in them.",
        "",
        "## Time",
        "",
        *_table(
            (
                "documents x lines",
                "median, ms",
                "p95, ms",
                "CPU median, ms",
                "CPU p95, ms",
                "indexed once, ms",
                "index, MB",
            ),
            [
                (
                    name,
                    one["median"],
                    one["p95"],
                    one["cpu_median"],
                    one["cpu_p95"],
                    one["index_ms"],
                    one["index_mb"],
                )
                for name, one in raw.get("times", {}).items()
            ],
        ),
        "",
        "For each key, with the indexing of the line that it changed. CPU times leave out the time",
        "in which the machine did something else.",
    ]
    return "\n".join(lines) + "\n"


def _beside(one: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, str]:
    same = next((two for two in found["fresh"]["curve"] if two["bar"] == one["bar"]), None)
    return (_percent(same["share"]), _percent(same["precision"])) if same else ("-", "-")


def _beside_model(pairs: Sequence[Pair]) -> list[str]:
    """Return how often both are right at the same places."""
    rows: list[Row] = []
    for stratum in sorted({pair.stratum for pair in pairs}):
        own = [pair for pair in pairs if pair.stratum == stratum]
        rows.append(
            (
                stratum,
                len(own),
                _percent(_share([bool(pair.copied) for pair in own])),
                _percent(_share([bool(pair.asked) for pair in own])),
            )
        )
    return _table(("confidence from", "places", "copy right", "model right"), rows)


def _table(head: Row, rows: Sequence[Row]) -> list[str]:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
