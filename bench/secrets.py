"""How well secrets are found, and what looking for them costs.

Three questions:

- On labelled lines (`tests/fixtures/secrets/recipes.toml`, filled in at random): precision and
  recall beside those of detect-secrets with its default plugins and filters. The recipes were
  written by those who wrote the patterns, so our own recall says that the patterns do what they are
  meant to; the group "unnamed" holds what they are not meant for. A private key of many lines
  counts as one, and is found where any of its lines is.
- On real code, installed packages: how many lines are taken for secrets. Hardly any of them is one,
  so this is the rate of false alarms at most.
- Time: a window of 160 lines that was never seen, and the same with one line changed.

Run as `python -m bench.secrets --detect-secrets PATH` with the program of an installation of its
own (it is no dependency), or without for our own figures alone. Results are in
`bench/results/secrets.json` and `secrets.md`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sirdab.policy import secrets
from tests.support.secret_lines import samples

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
_VARIANTS = 20
_WINDOW_LINES = 160
_LARGEST_BYTES = 200_000
_SUFFIXES = frozenset(
    {".py", ".pyi", ".js", ".mjs", ".cjs", ".ts", ".json", ".toml", ".yml", ".yaml", ".md", ".sh"}
)

Finder = Callable[[Path], dict[str, set[int]]]
"""Takes a folder and returns, by path below it, the numbers of the lines with secrets, from 1."""


@dataclass(slots=True)
class Score:
    """What a program made of the labelled lines.

    Attributes:
        true: Places with a secret that it found.
        missed: Places with a secret that it did not find.
        false: Places without one that it took for one.
        recall_by_group: Share of the places found, by kind of secret.
        false_by_group: Places taken for secrets, by kind of line.
    """

    true: int = 0
    missed: int = 0
    false: int = 0
    recall_by_group: dict[str, float] = field(default_factory=dict[str, float])
    false_by_group: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def precision(self) -> float:
        """Share of what it found that is a secret."""
        return self.true / max(self.true + self.false, 1)

    @property
    def recall(self) -> float:
        """Share of the secrets that it found."""
        return self.true / max(self.true + self.missed, 1)


def ours(folder: Path) -> dict[str, set[int]]:
    """Look for secrets in all files of a folder."""
    found: dict[str, set[int]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            numbers = {text.count("\n", 0, span.start) + 1 for span in secrets.find_secrets(text)}
            if numbers:
                found[path.relative_to(folder).as_posix()] = numbers
    return found


def theirs(program: str) -> Finder:
    """Return what looks for secrets with detect-secrets."""

    def find(folder: Path) -> dict[str, set[int]]:
        command = [program, "scan", "--no-verify", "--all-files", "."]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        results: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)["results"]
        return {
            Path(name).as_posix(): {int(one["line_number"]) for one in them}
            for name, them in results.items()
        }

    return find


def labelled(find: Finder) -> Score:
    """Give the labelled lines to a program."""
    # Each place is a file: detect-secrets tells of the same text in one file once.
    places: dict[str, tuple[str, bool]] = {}
    score = Score()
    with tempfile.TemporaryDirectory() as folder:
        for number, sample in enumerate(samples(variants=_VARIANTS)):
            # No suffix that either program knows anything about.
            name = f"{number}.txt"
            places[name] = (sample.group, bool(sample.secrets))
            (Path(folder) / name).write_text(sample.text, encoding="utf-8")
        found = find(Path(folder))
    by_group: dict[str, list[bool]] = {}
    for name, (group, secret) in places.items():
        by_group.setdefault(group, []).append(name in found)
        score.true += secret and name in found
        score.missed += secret and name not in found
        score.false += not secret and name in found
    for group, said in by_group.items():
        table, _, kind = group.partition(".")
        if table == "secret":
            score.recall_by_group[kind] = round(sum(said) / len(said), 4)
        else:
            score.false_by_group[kind] = sum(said)
    return score


def installed(count: int) -> dict[str, list[Path]]:
    """Return files of installed packages, spread over all of them."""
    found: dict[str, list[Path]] = {}
    for name in (".venv/lib", "node_modules", "clients/vscode/node_modules"):
        paths = [
            path
            for path in sorted((ROOT / name).rglob("*"))
            if path.suffix in _SUFFIXES
            and path.is_file()
            and not path.is_symlink()
            and path.stat().st_size <= _LARGEST_BYTES
        ]
        step = max(1, len(paths) // count)
        found[name] = paths[::step][:count]
    return {name: paths for name, paths in found.items() if paths}


def alarms(paths: list[Path], find: Finder) -> tuple[int, list[str]]:
    """Return how many lines of some files are taken for secrets, and where the first ones are."""
    with tempfile.TemporaryDirectory() as place:
        for number, path in enumerate(paths):
            (Path(place) / f"{number}{path.suffix}").write_bytes(path.read_bytes())
        found = find(Path(place))
    where = [
        f"{paths[int(name.partition('.')[0])].relative_to(ROOT)}:{number}"
        for name, numbers in found.items()
        for number in sorted(numbers)
    ]
    return len(where), where[:40]


def windows(paths: list[Path]) -> Iterator[list[str]]:
    """Yield windows of whole lines."""
    for path in paths:
        lines = path.read_bytes().decode("utf-8", "replace").split("\n")
        # Data on one line is never completed.
        if max(map(len, lines), default=0) > 400:
            continue
        for start in range(0, len(lines) - _WINDOW_LINES + 1, _WINDOW_LINES):
            yield lines[start : start + _WINDOW_LINES]


def times(paths: list[Path], most: int) -> dict[str, float]:
    """Return how long windows take, in milliseconds."""
    cold: list[float] = []
    changed: list[float] = []
    for number, lines in enumerate(windows(paths)):
        if number == most:
            break
        secrets.forget()
        started = time.perf_counter()
        secrets.find_secrets("\n".join(lines))
        cold.append((time.perf_counter() - started) * 1000)
        lines[_WINDOW_LINES // 2] += " # a key was hit"
        text = "\n".join(lines)
        started = time.perf_counter()
        secrets.find_secrets(text)
        changed.append((time.perf_counter() - started) * 1000)
    return {
        "windows": len(cold),
        "cold_ms": round(statistics.median(cold), 4),
        "cold_p95_ms": round(statistics.quantiles(cold, n=20)[-1], 4),
        "changed_ms": round(statistics.median(changed), 4),
        "changed_p95_ms": round(statistics.quantiles(changed, n=20)[-1], 4),
    }


def table(data: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    names = list(data["labelled"])
    total = next(iter(data["labelled"].values()))
    lines = [
        "# Secrets",
        "",
        f"Labelled places: {total['true'] + total['missed']} with a secret, made from recipes",
        "(`tests/fixtures/secrets`). The recipes and our patterns have the same authors; the group",
        "`unnamed` is what the patterns are not meant for.",
        "",
        f"| | {' | '.join(names)} |",
        f"| --- |{' ---: |' * len(names)}",
    ]

    def row(title: str, value: Callable[[dict[str, Any]], str]) -> str:
        return f"| {title} | {' | '.join(value(data['labelled'][name]) for name in names)} |"

    lines.append(row("Precision", lambda one: f"{one['precision']:.1%}"))
    lines.append(row("Recall", lambda one: f"{one['recall']:.1%}"))
    lines += [
        row(f"Recall, {group}", lambda one, group=group: f"{one['recall_by_group'][group]:.1%}")
        for group in total["recall_by_group"]
    ]
    lines += [
        row(f"False, {group}", lambda one, group=group: str(one["false_by_group"][group]))
        for group in total["false_by_group"]
    ]
    lines += [
        "",
        "Lines of installed packages that are taken for secrets (false alarms at most):",
        "",
        f"| Code | Files | Lines | {' | '.join(names)} |",
        f"| --- | ---: | ---: |{' ---: |' * len(names)}",
    ]
    lines += [
        f"| {place} | {one['files']} | {one['lines']:,} "
        f"| {' | '.join(str(one['alarms'][name]) for name in names)} |"
        for place, one in data["installed"].items()
    ]
    took = data["times"]
    lines += [
        "",
        f"Time for {_WINDOW_LINES} lines of them, over {took['windows']} windows:",
        "",
        f"- never seen: {took['cold_ms']:.2f} ms (p95 {took['cold_p95_ms']:.2f})",
        f"- one line changed: {took['changed_ms']:.3f} ms (p95 {took['changed_p95_ms']:.3f})",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure and write the results."""
    arguments = argparse.ArgumentParser(description="How well and how fast secrets are found.")
    arguments.add_argument("--detect-secrets", help="path of the program of detect-secrets")
    arguments.add_argument("--files", type=int, default=1_000, help="of each place")
    options = arguments.parse_args()
    finders: dict[str, Finder] = {"Sirdab": ours}
    if options.detect_secrets:
        version = subprocess.run(
            [options.detect_secrets, "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        finders[f"detect-secrets {version}"] = theirs(options.detect_secrets)
    places = installed(options.files)
    data: dict[str, Any] = {"labelled": {}, "installed": {}}
    data["times"] = times([path for paths in places.values() for path in paths], 1_500)
    for name, find in finders.items():
        score = labelled(find)
        data["labelled"][name] = asdict(score) | {
            "precision": round(score.precision, 4),
            "recall": round(score.recall, 4),
        }
    for place, paths in places.items():
        count = sum(path.read_bytes().count(b"\n") for path in paths)
        found = {name: alarms(paths, find) for name, find in finders.items()}
        data["installed"][place] = {
            "files": len(paths),
            "lines": count,
            "alarms": {name: number for name, (number, _) in found.items()},
            "ours": found["Sirdab"][1],
        }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "secrets.json").write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "secrets.md").write_text(table(data), encoding="utf-8")
    sys.stdout.write(table(data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
