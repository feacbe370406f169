"""How often the instant answer is right, how sure it can be of it, and what it costs.

    python -m bench.copying fit        # the confidence, from real code
    python -m bench.copying model      # beside the real model; adds to what was measured before
    python -m bench.copying time       # what a prediction takes
    python -m bench.copying report     # the bars and the tables

Files are walked through as if they were being typed: only the text before the cursor is there, and
six files of the same package are open beside it. The confidence is fitted on some packages and
judged on others. A place is where a key has just been pressed; a quarter of them are at the
start of a line. The answer is right when it is the rest of the line.

`report` writes `completion/copying/calibration.toml`, which Sirdab reads; the figures are in
`bench/results/copying.json` and `copying.md`.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from bench.copying import report, results
from bench.copying.fit import collect, fit, further_shares
from bench.copying.model import MODEL, beside_model
from bench.copying.places import FITTED, FRESH, JUDGED, PACKAGES, ROOT
from bench.copying.timing import SIZES, timing
from sirdab.completion.copying.predict import FEATURES

PLACES = 400
"""Places in each package; fewer where it is small."""


def run_fit(code: Path) -> None:
    """Fit the confidence on some packages and keep what it says of others."""
    fitted = collect(PACKAGES, FITTED, PLACES)
    weights = fit([case for case in fitted if case.features])
    rounded = [round(weight, 4) for weight in weights]
    raw = results.load()
    raw["fit"] = {
        "places": len(fitted),
        "intercept": rounded[0],
        "weights": dict(zip(FEATURES, rounded[1:], strict=True)),
        "further": further_shares(fitted),
    }
    judged, fresh = collect(PACKAGES, JUDGED, PLACES), collect(code, FRESH, 2 * PLACES)
    raw["curves"] = report.curves(judged, fresh, rounded)
    results.save(raw)


def run_timing() -> None:
    """Measure what a prediction takes."""
    raw = results.load()
    raw["times"] = {}
    for lines, documents in SIZES:
        found = timing(lines, documents)
        raw["times"][f"{documents} x {lines}"] = found._asdict()
        results.tell(f"{documents} of {lines} lines: {found}")
    results.save(raw)


def main() -> int:
    """Run one part."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.copying", description="The instant answer, measured."
    )
    parser.add_argument("part", choices=("fit", "model", "time", "report"))
    parser.add_argument("--seconds", type=float, default=200.0, help="time for the model")
    parser.add_argument("--code", type=Path, default=ROOT, help="a copy of this repository")
    parser.add_argument("--model", default=MODEL, help="the model to ask")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the places to ask")
    options = parser.parse_args()
    if options.part == "fit":
        run_fit(options.code)
    elif options.part == "model":
        asyncio.run(beside_model(options.model, options.seconds, options.code, options.scale))
    elif options.part == "time":
        run_timing()
    else:
        report.write(results.load())
    return 0


if __name__ == "__main__":
    sys.exit(main())
