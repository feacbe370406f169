"""Replays realistic typing against something that suggests, in real time.

What happens is what happens in an editor: keys come on their schedule whether or not an answer
has come, a short while behind a key the editor asks, the next key gives that request up, a
suggestion that agrees with what is typed stays, and a person who sees one that is right takes it.
The person accepts nothing but what is true, so nothing wrong ever gets into the text.
"""

import asyncio
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sirdab.benchmark.holes import source_files
from sirdab.benchmark.rhythm import Rhythm
from sirdab.benchmark.typist import Buffer, Change, Kind, Stretch, Typist, parts
from sirdab.syntax.languages import language_of
from sirdab.text.store import Point, Text

EDITOR_DELAY_MS = 50.0
"""VS Code 1.139 asks about this long after a key, unless another one comes first."""

EDITOR_BUDGET_MS = 750.0
"""VS Code 1.139 does not show an automatic answer that comes later than this after it has asked."""

NOTICE_MS = 300.0
"""A person takes a suggestion that has been visible for at least this long. A choice between two
responses takes about that long (Hick, "On the rate of gain of information", 1952)."""

LEAST_ACCEPTED = 4
"""Characters below which it is easier to type on than to accept."""

_ATTENTIVE = 0.75
"""Share of lines on which the person looks at suggestions; on the others the keys go on, and
whatever is shown is typed along."""

_SHORTEST_FILE = 50
# Lines of one stretch. With two of them in three parts, the cursor jumps about once a minute.
_STRETCH_LINES = (5, 10)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was suggested at a cursor.

    Attributes:
        id: Names it to whom it came from.
        text: What is to be inserted at the cursor, with LF line ends.
        source: Where it came from, in the contestant's own words.
        trace: What else is known of it.
    """

    id: str
    text: str
    source: str = ""
    trace: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file as an editor opens it."""

    path: Path
    language_id: str
    text: Text


class Contestant(Protocol):
    """Something that suggests. All methods belong to one event loop."""

    async def open(self, file: OpenFile, others: Sequence[OpenFile], point: Point) -> None:
        """Open files, the one that is worked on last, with the cursor at a point."""
        ...

    def changed(self, change: Change) -> None:
        """Take an edit of the open file."""
        ...

    def moved(self, point: Point) -> None:
        """Take it that the cursor was moved without an edit."""
        ...

    async def ask(self, text: Text, point: Point) -> Answer | None:
        """Suggest something; cancelled when the next key comes."""
        ...

    def accepted(self, answer: Answer, how: str) -> None:
        """Take it that the person accepted an answer, or a part of it: full, line or word."""
        ...

    async def close(self) -> None:
        """Close the open files."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """One file, what is typed in it, and in which order.

    Attributes:
        id: Names it.
        path: The file, relative to its folder.
        language_id: Its language.
        text: The file without what is to be typed.
        stretches: What is to be typed, in the order of the file.
        segments: Which stretch is typed next, and up to how many of its characters.
        others: Files of the same folder that are open as well.
    """

    id: str
    path: str
    language_id: str
    text: Text
    stretches: tuple[Stretch, ...]
    segments: tuple[tuple[int, int], ...]
    others: tuple[str, ...]

    @property
    def characters(self) -> int:
        """How much there is to type."""
        return sum(len(stretch.target) for stretch in self.stretches)


def sessions(folder: Path, seed: int) -> Iterator[Session]:
    """Yield sessions over the files of a folder, the same ones for the same seed; no two alike.

    Args:
        folder: The folder with the code.
        seed: Another seed gives other files and places.
    """
    files = source_files(folder)
    chance = random.Random(seed)  # noqa: S311 - not a secret: the same each time is the point
    chance.shuffle(files)
    for path in files:
        session = _session(folder, path, files, chance)
        if session is not None:
            yield session


def _session(
    folder: Path, path: Path, files: Sequence[Path], chance: random.Random
) -> Session | None:
    try:
        whole = Text(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if whole.line_count < _SHORTEST_FILE or whole.line_end != "\n":
        return None
    name, language_id = path.relative_to(folder).as_posix(), language_of(path)
    middle = whole.line_count // 2
    upper = _span(whole, 4, middle - 1, chance)
    lower = _span(whole, middle + 1, whole.line_count - 2, chance)
    if upper is None or lower is None:
        return None
    text = whole
    stretches: list[Stretch] = []
    # The lower one is cut first, so that the upper one's lines are still where they were.
    for first, last in (lower, upper):
        start = Point(first - 1, len(whole.line_body(first - 1)))
        stop = Point(last, len(whole.line_body(last)))
        target = whole.slice(start, stop)
        stretches.insert(0, Stretch(f"{name}:{first + 1}", language_id, start, target))
        text = text.replace(start, stop, "")
    removed = upper[1] - upper[0] + 1
    below = stretches[1]
    stretches[1] = Stretch(
        below.id, language_id, Point(below.start.line - removed, below.start.column), below.target
    )
    near = [
        other.relative_to(folder).as_posix()
        for other in files
        if other.parent == path.parent and other != path and language_of(other) == language_id
    ]
    # Half of one place, then the other one, then back: a jump to look something up or to add it.
    begun, visited = (0, 1) if chance.random() < 0.5 else (1, 0)
    half = stretches[begun].target.find("\n", len(stretches[begun].target) // 2)
    half = half if half > 0 else len(stretches[begun].target)
    return Session(
        id=name,
        path=name,
        language_id=language_id,
        text=text,
        stretches=tuple(stretches),
        segments=(
            (begun, half),
            (visited, len(stretches[visited].target)),
            (begun, len(stretches[begun].target)),
        ),
        others=tuple(sorted(near)[:2]),
    )


def _span(text: Text, low: int, high: int, chance: random.Random) -> tuple[int, int] | None:
    """Choose lines of code within bounds; both ends have text."""
    for _ in range(40):
        size = chance.randint(*_STRETCH_LINES)
        if high - size <= low:
            return None
        first = chance.randint(low, high - size)
        last = first + size
        lines = [text.line_body(number).strip() for number in range(first, last + 1)]
        code = [line for line in lines if line and not line.startswith(("#", "//", "--", "*", '"'))]
        if lines[0] and lines[-1] and len(code) >= 0.7 * len(lines):
            return first, last
    return None


def lay_out(folder: Path, found: Sequence[Session], destination: Path) -> None:
    """Copy the source files of a folder, without what is to be typed in them.

    What searches the files of the workspace must not find the right answer there.
    """
    for path in source_files(folder):
        copy = destination / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for session in found:
        (destination / session.path).write_text(str(session.text), encoding="utf-8")


@dataclass(slots=True)
class Keystroke:
    """What one key, or one acceptance, brought.

    Attributes:
        session: The session's id.
        stretch: The stretch's id.
        kind: What was done: a `Kind`, or "accept".
        typed: Characters of the stretch that stood there then.
        at_ms: When it was pressed, from the start of the session.
        next_ms: Until the next thing happened.
        asked_ms: Until the editor asked; None when the next key came first.
        answered_ms: From asking until the answer; None when the next key came first.
        shown: The suggestion; "" for none.
        source: Where it came from.
        along: Whether the key agreed with the suggestion that was visible.
        accepted: Characters that were accepted.
        trace: The answer's.
        text: The document.
        point: The cursor.
        rest: What would have been right, up to what the editor has put behind the cursor.
    """

    session: str
    stretch: str
    kind: str
    typed: int
    at_ms: float
    text: Text
    point: Point
    rest: str
    next_ms: float = 0.0
    asked_ms: float | None = None
    answered_ms: float | None = None
    shown: str = ""
    source: str = ""
    along: bool = False
    accepted: int = 0
    trace: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def shown_ms(self) -> float | None:
        """From the key to the suggestion; None when none was shown."""
        if not self.shown or self.asked_ms is None or self.answered_ms is None:
            return None
        return self.asked_ms + self.answered_ms


@dataclass(slots=True)
class _Ghost:
    """The suggestion that is visible."""

    answer: Answer
    text: str
    since: float


class Player:
    """Plays sessions to one contestant."""

    def __init__(
        self,
        contestant: Contestant,
        *,
        seed: int = 1,
        editor_delay_ms: float = EDITOR_DELAY_MS,
        rhythm: Rhythm | None = None,
        patient: bool = False,
        on_key: Callable[[Keystroke], None] = lambda _: None,
    ) -> None:
        """Make a player.

        Args:
            contestant: Whom to ask.
            seed: Another seed gives other pauses, slips and attention.
            editor_delay_ms: Between a key and the editor's request.
            rhythm: Of the person.
            patient: Whether the person presses no key before the last one is answered, so that
                nothing is given up and all that is asked is read to its end.
            on_key: Told of each key when the next one comes.
        """
        self._contestant = contestant
        self._seed = seed
        self._delay_s = editor_delay_ms / 1000
        self._rhythm = rhythm or Rhythm()
        self._patient = patient
        self._on_key = on_key
        self._ghost: _Ghost | None = None
        self._asking: asyncio.Task[None] | None = None
        self._keys: list[Keystroke] = []
        self.started = 0.0
        """When the last session began, in seconds of `time.perf_counter`."""
        self._due = 0.0

    async def play(self, session: Session, workspace: Path, most: int = 1 << 30) -> list[Keystroke]:
        """Play one session.

        Args:
            session: What is typed.
            workspace: Folder with the files, made by `lay_out`.
            most: End after so many keys.

        Returns:
            All keys, in order.
        """
        self._keys, self._ghost = [], None
        buffer = Buffer(session.text, session.stretches[0].start)
        typists = [
            Typist(buffer, stretch, self._seed, self._rhythm) for stretch in session.stretches
        ]
        points = [stretch.start for stretch in session.stretches]
        opened = [
            OpenFile(workspace / name, session.language_id, Text((workspace / name).read_text()))
            for name in session.others
        ]
        worked_on = OpenFile(workspace / session.path, session.language_id, session.text)
        await self._contestant.open(worked_on, opened, points[session.segments[0][0]])
        self.started = self._due = time.perf_counter()
        try:
            for number, (index, until) in enumerate(session.segments):
                buffer.point = points[index]
                chance = random.Random(f"{self._seed}:{session.id}:{number}")  # noqa: S311
                self._contestant.moved(buffer.point)
                await self._wait(self._rhythm.thought_ms(chance))
                lines = buffer.text.line_count
                typist = typists[index]
                while typist.typed < until or (until == len(typist.stretch.target)):
                    if typist.done or len(self._keys) >= most:
                        break
                    await self._wait(typist.pause_ms())
                    self._step(session, typist)
                points[index] = buffer.point
                grown = buffer.text.line_count - lines
                for other, point in enumerate(points):
                    if other > index:
                        points[other] = Point(point.line + grown, point.column)
                await self._give_up()
        finally:
            await self._give_up()
            await self._contestant.close()
        return self._keys

    async def _wait(self, pause_ms: float) -> None:
        if self._patient and self._asking is not None:
            await asyncio.wait({self._asking})
        self._due = max(self._due + pause_ms / 1000, time.perf_counter())
        await asyncio.sleep(max(0.0, self._due - time.perf_counter()))

    def _step(self, session: Session, typist: Typist) -> None:
        """Do what comes next: accept what is visible, or press the next key."""
        self._end_key()
        taken = self._choose(typist)
        typed, along = typist.typed, False
        if taken is not None:
            answer, how, text = taken
            change = typist.take(text)
            kind = "accept"
            self._contestant.changed(change)
            self._contestant.accepted(answer, how)
            self._shorten(len(text))
        else:
            pressed, change = typist.press()
            kind = pressed.value
            along = self._type_along(change, pressed)
            if change is not None:
                self._contestant.changed(change)
            if pressed is Kind.LEAVE:
                self._contestant.moved(typist.buffer.point)
        key = Keystroke(
            session=session.id,
            stretch=typist.stretch.id,
            kind=kind,
            typed=typed,
            at_ms=self._now_ms(),
            text=typist.buffer.text,
            point=typist.buffer.point,
            rest=typist.rest,
            along=along,
            accepted=len(taken[2]) if taken else 0,
        )
        self._keys.append(key)
        if kind != Kind.LEAVE:
            self._asking = asyncio.ensure_future(self._ask(key))

    def _end_key(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        if self._keys and not self._keys[-1].next_ms:
            self._keys[-1].next_ms = self._now_ms() - self._keys[-1].at_ms
            self._on_key(self._keys[-1])

    def _choose(self, typist: Typist) -> tuple[Answer, str, str] | None:
        """Return what a person who only takes what is right takes now."""
        ghost, rest = self._ghost, typist.rest
        if ghost is None or not rest or time.perf_counter() - ghost.since < NOTICE_MS / 1000:
            return None
        line = typist.stretch.target.count("\n", 0, typist.typed)
        chance = random.Random(f"{self._seed}:{typist.stretch.id}:{line}:attention")  # noqa: S311
        if chance.random() > _ATTENTIVE or _same(ghost.text, rest) < LEAST_ACCEPTED:
            return None
        for how, text in parts(ghost.text):
            if rest.startswith(text):
                return ghost.answer, how, text
        return None

    def _type_along(self, change: Change | None, kind: Kind) -> bool:
        ghost = self._ghost
        if ghost is None:
            return False
        # What the editor adds to a key by itself is not part of what is typed along.
        typed = change.text[:1] if change is not None and kind is Kind.TYPE else ""
        if kind is Kind.ENTER and change is not None:
            typed = change.text
        if not typed or not ghost.text.startswith(typed):
            self._ghost = None
            return False
        return self._shorten(len(typed))

    def _shorten(self, taken: int) -> bool:
        """Take off the visible suggestion what stands in the text now; return if any is left."""
        ghost = self._ghost
        if ghost is None or not ghost.text[taken:].strip():
            self._ghost = None
            return False
        ghost.text = ghost.text[taken:]
        return True

    async def _ask(self, key: Keystroke) -> None:
        await asyncio.sleep(self._delay_s)
        key.asked_ms = self._now_ms() - key.at_ms
        answer = await self._contestant.ask(key.text, key.point)
        key.answered_ms = self._now_ms() - key.at_ms - key.asked_ms
        if answer is None or not answer.text:
            self._ghost = None
            return
        key.shown, key.source, key.trace = answer.text, answer.source, answer.trace
        if self._ghost is None or self._ghost.text != answer.text:
            self._ghost = _Ghost(answer, answer.text, time.perf_counter())
        else:
            self._ghost.answer = answer

    async def _give_up(self) -> None:
        asking, self._asking = self._asking, None
        self._end_key()
        if asking is not None:
            asking.cancel()
            await asyncio.wait({asking})
        self._ghost = None

    def _now_ms(self) -> float:
        return (time.perf_counter() - self.started) * 1000


def _same(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    for number, (first, second) in enumerate(zip(one, other, strict=False)):
        if first != second:
            return number
    return min(len(one), len(other))
