"""How often the signs of the rules are seen: in defects that are seeded, and in clean code.

A rule is asked about only where its signs stand, so the signs bound what a review can find (the
share of the seeded defects that show a sign of a rule that names them) and how much innocent
code is put to the model, or published on the strength of the sign alone (signs in 1,000 lines of
code of good repute). No model is asked.

Run as `python -m bench.signs`, or with folders of clean code of your own. Results are in
`bench/results/signs.json` and `signs.md`.
"""

import argparse
import json
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sirdab.benchmark.defects.fixtures import fixtures
from sirdab.benchmark.defects.seeds import Seed, own_seeds
from sirdab.review import rules, units
from sirdab.syntax.languages import language_of
from sirdab.text.store import Text

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
CATEGORIES = ("correctness", "security", "performance")
# Packages of our own environment that are widely used, and not made of data.
PACKAGES = ("rich", "httpx", "click", "pygls", "filelock", "platformdirs", "hypothesis", "pytest")
SCRIPTS = ("ajv/lib", "whatwg-url", "chalk", "color-convert", "webidl-conversions")
_LONGEST_LINE = 400
_SKIPPED = frozenset({"test", "tests", "idlelib", "lib2to3", "dist", "min", "_vendor", "umd"})


@cache
def seen(content: str, language_id: str) -> tuple[tuple[str, int], ...]:
    """Return the rules whose signs a file shows, with the lines, counted from 0."""
    return tuple(
        (rule.id, unit.first + line)
        for unit in units.split(Text(content), language_id)
        for rule, lines in rules.candidates(unit, language_id, CATEGORIES).items()
        for line in lines
    )


def of_clean_code(folders: Iterable[Path]) -> dict[str, Any]:
    """Count the signs in the files below some folders, by language."""
    lines: Counter[str] = Counter()
    signs: dict[str, Counter[str]] = {}
    started = time.perf_counter()
    for language, content in _files(folders):
        lines[language] += content.count("\n") + 1
        found = Counter(rule for rule, _ in seen.__wrapped__(content, language))
        signs.setdefault(language, Counter()).update(found)
    spent = time.perf_counter() - started
    return {
        "lines": dict(lines),
        "ms_per_1000_lines": round(spent * 1e6 / max(1, lines.total())),
        "signs": {language: dict(count) for language, count in signs.items()},
    }


def of_seeds() -> dict[str, Any]:
    """Count the seeded defects that show a sign of a rule that names them, by operator."""
    total: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    for seed in own_seeds():
        total[seed.operator.id] += 1
        shown[seed.operator.id] += _shows(seed)
    clean = [(fixture, seen(fixture.text, fixture.language_id)) for fixture in fixtures()]
    return {
        "seeds": dict(total),
        "shown": {name: shown[name] for name in total},
        "clean_lines": sum(fixture.text.count("\n") for fixture, _ in clean),
        "clean_signs": dict(Counter(rule for _, found in clean for rule, _ in found)),
    }


def _shows(seed: Seed) -> bool:
    return any(
        rule in seed.operator.rules and any(low - 1 <= line <= high + 1 for low, high in seed.lines)
        for rule, line in seen(seed.text, seed.language_id)
    )


def _files(folders: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            language = language_of(path)
            if language not in units.LANGUAGES or not path.is_file() or ".d." in path.name:
                continue
            if _SKIPPED & set(path.relative_to(folder).parts) or ".min." in path.name:
                continue
            try:
                content = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            if max(map(len, content.split("\n"))) <= _LONGEST_LINE:
                yield language, content


def _default_folders() -> list[Path]:
    site = Path(sysconfig.get_path("purelib"))
    standard = Path(sysconfig.get_path("stdlib"))
    found = [site / name for name in (*PACKAGES, "_pytest")]
    found += [standard / name for name in ("asyncio", "json", "http", "email", "logging",
                                           "concurrent", "importlib", "xml", "urllib")]  # fmt: skip
    found += [ROOT / "node_modules" / name for name in SCRIPTS]
    found += [ROOT / "clients" / "vscode" / "src"]
    return [folder for folder in found if folder.is_dir()]


def _report(result: dict[str, Any]) -> str:
    clean, seeds = result["clean"], result["seeds"]
    python = clean["lines"].get("python", 0)
    script = sum(count for name, count in clean["lines"].items() if name.startswith(("java", "ty")))
    clean_lines, clean_signs = seeds["clean_lines"], sum(seeds["clean_signs"].values())
    lines = [
        "# Signs of the rules",
        "",
        f"Clean code: {python:,} lines of Python and {script:,} of JavaScript and TypeScript.",
        f"Looking takes {clean['ms_per_1000_lines']} ms for 1,000 lines.",
        f"Seeded defects: {sum(seeds['seeds'].values())}.",
        f"Of these {sum(seeds['shown'].values())} show a sign of a rule that names them.",
        f"Our own clean files: {clean_lines:,} lines with {clean_signs} signs.",
        "",
        "| Rule | Grade | Python: in 1,000 lines | JavaScript, TypeScript | Own clean files |",
        "| --- | --- | --- | --- | --- |",
    ]
    totals = [0, 0, 0]
    for rule in rules.all_rules():
        counts = [
            clean["signs"].get("python", {}).get(rule.id, 0),
            sum(
                found.get(rule.id, 0) for name, found in clean["signs"].items() if name != "python"
            ),
            seeds["clean_signs"].get(rule.id, 0),
        ]
        totals = [one + other for one, other in zip(totals, counts, strict=True)]
        lines.append(
            f"| {rule.id} | {rule.grade} | {_share(counts[0], python)} | "
            f"{_share(counts[1], script)} | {counts[2] or ''} |"
        )
    lines.append(
        f"| all | | {_share(totals[0], python)} | {_share(totals[1], script)} | {totals[2]} |"
    )
    lines += ["", "| Operator | Seeds | Show a sign |", "| --- | --- | --- |"]
    for name, count in sorted(seeds["seeds"].items()):
        lines.append(f"| {name} | {count} | {seeds['shown'][name]} |")
    return "\n".join(lines) + "\n"


def _share(count: int, lines: int) -> str:
    return f"{1000 * count / lines:.2f}" if count and lines else ""


def main() -> int:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    folders = parser.parse_args().folders or _default_folders()
    result = {"clean": of_clean_code(folders), "seeds": of_seeds()}
    RESULTS.joinpath("signs.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    report = _report(result)
    RESULTS.joinpath("signs.md").write_text(report, "utf-8")
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
