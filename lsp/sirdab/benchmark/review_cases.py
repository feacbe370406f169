"""What a review is measured on: code with one defect each, and code that is taken to be right."""

import importlib.util
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sirdab.benchmark.defects.fixtures import fixtures
from sirdab.benchmark.defects.mutation import LANGUAGES, Operator
from sirdab.benchmark.defects.seeds import (
    Place,
    Seed,
    choose,
    choose_places,
    own_seeds,
    places_of,
)
from sirdab.benchmark.holes import source_files
from sirdab.review.units import split
from sirdab.syntax.languages import language_of
from sirdab.text.store import Text

_READ = LANGUAGES["python"] | LANGUAGES["javascript"]
# Files of a folder that are looked at for places for defects; that takes a tenth of a second for
# 1,000 lines.
_MOST_FILES = 300


@dataclass(frozen=True, slots=True)
class Case:
    """A document, or some lines of it, that is reviewed once.

    Attributes:
        id: Names it in a file of results.
        name: The file's name, as it is shown.
        language_id: As LSP spells it.
        text: The document.
        lines: First and last line, 0-based, that are reviewed; None for all.
        seed: The defect in it; None where it is taken to be right.
    """

    id: str
    name: str
    language_id: str
    text: str
    lines: tuple[int, int] | None = None
    seed: Seed | None = None


def of_seed(seed: Seed) -> Case:
    """Return the case of a defect: the units that it lies in."""
    lines = seed.first, seed.last
    return Case(seed.id, seed.name, seed.language_id, seed.text, lines, seed)


def own(count: int, number: int, operators: Sequence[Operator] = ()) -> list[Case]:
    """Return the cases of our own fixtures: the clean files, and some defects in them.

    Args:
        count: Most defects.
        number: Another number gives other defects.
        operators: Those that are wanted; all when there are none.
    """
    wanted = {operator.id for operator in operators}
    seeds = [seed for seed in own_seeds() if not wanted or seed.operator.id in wanted]
    clean = [Case(f"clean@{one.name}", one.name, one.language_id, one.text) for one in fixtures()]
    return [*clean, *map(of_seed, choose(seeds, count, number))]


def of_folder(
    folder: Path,
    count: int,
    number: int,
    operators: Sequence[Operator] = (),
    exclude: Sequence[str] = (),
) -> list[Case]:
    """Return the cases of somebody's code: defects that are put into it, and what they lie in.

    Nothing is written: the defects are only in memory.

    Args:
        folder: Any folder; what its ignore files exclude is left out.
        count: Most defects.
        number: Another number gives other defects.
        operators: Those that are wanted; all when there are none.
        exclude: The setting `privacy.exclude`.
    """
    paths = [path for path in source_files(folder, exclude) if language_of(path) in _READ]
    # Not a secret: the same ones each time is the point.
    random.Random(number).shuffle(paths)  # noqa: S311
    places: list[Place] = []
    for path in paths[:_MOST_FILES]:
        text = _text_of(path)
        if text is not None:
            name = path.relative_to(folder).as_posix()
            places += places_of(name, text, language_of(path), operators or None)
    chosen = choose_places(places, count, number)
    return [*_around(chosen), *map(of_seed, chosen)]


def _around(seeds: Sequence[Seed]) -> Iterator[Case]:
    """Yield the clean files that defects were put into."""
    for name, seed in {seed.name: seed for seed in seeds}.items():
        yield Case(f"clean@{name}", name, seed.language_id, seed.clean)


def installed(modules: Sequence[str], most_lines: int, number: int) -> list[Case]:
    """Return functions of installed packages, which are taken to be right.

    Args:
        modules: Names by which the packages are imported.
        most_lines: Lines of code at which it ends.
        number: Another number gives other functions.

    Raises:
        ValueError: A package is not installed, or holds no source code.
    """
    found: list[Case] = []
    for module in modules:
        for name, path in _sources_of(module):
            text = _text_of(path)
            if text is None:
                continue
            for unit in split(Text(text), "python"):
                lines = unit.first, unit.last
                found.append(Case(f"clean@{name}:{unit.first + 1}", name, "python", text, lines))
    random.Random(number).shuffle(found)  # noqa: S311 - the same ones each time is the point
    chosen: list[Case] = []
    lines_so_far = 0
    for case in found:
        if lines_so_far >= most_lines:
            break
        lines_so_far += lines_of(case)
        chosen.append(case)
    return chosen


def seeded(modules: Sequence[str], count: int, number: int) -> list[Case]:
    """Return defects in installed packages, the operators in turn.

    Args:
        modules: Names by which the packages are imported.
        count: Most defects.
        number: Another number gives other defects.

    Raises:
        ValueError: A package is not installed, or holds no source code.
    """
    paths = [pair for module in modules for pair in _sources_of(module)]
    random.Random(number).shuffle(paths)  # noqa: S311 - the same ones each time is the point
    places: list[Place] = []
    for name, path in paths[:_MOST_FILES]:
        text = _text_of(path)
        if text is not None:
            places += places_of(name, text, "python")
    return [of_seed(seed) for seed in choose_places(places, count, number)]


def lines_of(case: Case) -> int:
    """Return how many lines of a case are reviewed, without blank ones."""
    lines = case.text.split("\n")
    first, last = case.lines or (0, len(lines) - 1)
    return sum(bool(line.strip()) for line in lines[first : last + 1])


def _sources_of(module: str) -> list[tuple[str, Path]]:
    """Return the source files of a package, or the one of a module, with names to show.

    Raises:
        ValueError: There is no such package.
    """
    try:
        spec = importlib.util.find_spec(module) if module.isidentifier() else None
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise ValueError(f"there is no installed package {module} with source code")
    origin = Path(spec.origin)
    if origin.name != "__init__.py":
        return [(origin.name, origin)]
    root = origin.parent
    found = sorted(root.rglob("*.py"))
    return [(f"{module}/{path.relative_to(root).as_posix()}", path) for path in found]


def _text_of(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError):
        return None
