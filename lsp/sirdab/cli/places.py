"""The places of the sample project at which `sirdab try` asks for ghost text.

The sample is complete, ordinary code. A place is written as in the tests: `$0` is the cursor, and
what stands between it and `$1` (or the end of the quoted text) is what the author wrote there;
it is taken out before the model is asked.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePosixPath

from sirdab.syntax.languages import language_of
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

_PLACES: tuple[tuple[str, str], ...] = (
    ("inventory.py", "        return $0self.quantity * self.price"),
    ("inventory.py", "            self.items[item.name]$0 = item"),
    ("inventory.py", "        item.quantity $0-= quantity"),
    ("inventory.py", "        return sum($0item.value() for item in self.items.values()$1)"),
    ("dates.py", "    return year % 4 == 0 and $0(year % 100 != 0 or year % 400 == 0)"),
    ("dates.py", '    year, month, day = $0text.split("-")'),
    ("dates.py", 'from the first date to the second."""\n$0    return (second - first).days'),
    ("cart.ts", "    this.lines.$0push(line);"),
    (
        "cart.ts",
        "    return this.lines.reduce($0(sum, line) => sum + line.price * line.quantity, 0);",
    ),
    ("stack.go", "\ts.items = $0append(s.items, item)"),
)


@dataclass(frozen=True, slots=True)
class SamplePlace:
    """A hole in the sample project.

    Attributes:
        file: Name of the sample file.
        snapshot: The file without what the author wrote at the hole.
        point: The hole.
        written: What the author wrote there.
    """

    file: str
    snapshot: Snapshot
    point: Point
    written: str


@cache
def sample_places() -> tuple[SamplePlace, ...]:
    """Return the places in the order they are shown."""
    return tuple(_place(file, marked) for file, marked in _PLACES)


def _place(file: str, marked: str) -> SamplePlace:
    content = resources.files("sirdab.cli").joinpath("sample", file).read_text(encoding="utf-8")
    before, rest = marked.split("$0")
    written, _, after = rest.partition("$1")
    # The last occurrence: a line that is said twice is asked for where more code precedes it.
    start = content.rindex(before + written + after) + len(before)
    hole = content[:start] + content[start + len(written) :]
    head = content[:start].split("\n")
    path = PurePosixPath(file)
    return SamplePlace(
        file,
        Snapshot(uri=f"untitled:{file}", language_id=language_of(path), version=0, text=Text(hole)),
        Point(len(head) - 1, len(head[-1])),
        written,
    )
