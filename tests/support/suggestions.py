"""An editor that offers suggestions to nobody, for tests of what becomes of them.

Time stands still but for `wait`; what is due by then happens, in order.
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import replace

from sirdab.completion.request import Outcome, Reason, Suggestion, Trigger
from sirdab.metrics.record import Answer, Shown
from sirdab.metrics.recorder import Recorder
from sirdab.metrics.similarity import retained
from sirdab.server.edit_steps import Step, lf, steps_of
from sirdab.server.lifecycle import Lifecycle
from sirdab.text.document import Change, Range, Snapshot
from sirdab.text.positions import Encoding, to_units
from sirdab.text.store import Point, Text
from tests.support.completion import place, request_for

URI = "file:///a.py"


class Kept(Recorder):
    """Keeps what it is given, in place of writing it."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Answer] = []
        self.records: dict[int, Shown] = {}
        self.left: dict[tuple[int, int], float] = {}

    def answered(self, answer: Answer) -> None:
        self.answers.append(answer)

    def shown(self, record: Shown) -> None:
        self.records[record.number] = record

    def retained(self, number: int, horizon: int, accepted: str, now: str) -> None:
        self.left[number, horizon] = round(retained(accepted, now), 2)


class Editor:
    """One document with a cursor, and a lifecycle that watches it.

    Attributes:
        kept: What was recorded.
        heard: "welcome" and "dismissed", in order.
        taken: Whether the last change was a piece of a suggestion.
    """

    def __init__(self, marked: str, uri: str = URI) -> None:
        self.uri = uri
        self.text, self.cursor = place(marked)
        self.kept = Kept()
        self.heard: list[str] = []
        self.taken = False
        self.now = 1_000.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._ids = itertools.count(1)
        self._open = True
        self.lifecycle = Lifecycle(
            self.kept,
            lambda uri: self.snapshot if self._open and uri == self.uri else None,
            self._later,
            on_welcome=lambda: self.heard.append("welcome"),
            on_dismissed=lambda: self.heard.append("dismissed"),
            clock=lambda: self.now,
        )

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.uri, "python", 1, self.text)

    @property
    def marked(self) -> str:
        """The document with `$0` at the cursor."""
        text = str(self.text.replace(self.cursor, self.cursor, "$0"))
        return lf(text)

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._ids), work))

    def wait(self, seconds: float, *, asleep: bool = False) -> None:
        """Let time pass; asleep, what is due happens at the end only."""
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            due, _, work = heapq.heappop(self._due)
            self.now = until if asleep else due
            work()
        self.now = until

    def offer(
        self,
        *texts: str,
        id_: str | None = None,
        trigger: Trigger = Trigger.AUTOMATIC,
        menu: bool = False,
        selected: int = 0,
        trace: dict[str, object] | None = None,
    ) -> str:
        """Offer suggestions at the cursor and return the id of the first.

        Args:
            texts: What stands behind the cursor then.
            id_: The id of a suggestion that is offered once more.
            trigger: Why.
            menu: As an item of a menu.
            selected: Characters before the cursor that it replaces by the same.
            trace: What the engine says of it.
        """
        request = request_for("$0", uri=self.uri, trigger=trigger)
        request = replace(request, snapshot=self.snapshot, point=self.cursor)
        self.lifecycle.asked(request)
        start = Point(self.cursor.line, self.cursor.column - selected)
        before = self.text.slice(start, self.cursor)
        suggestions = tuple(
            Suggestion(id_ or f"s{next(self._ids)}", before + text, start, self.cursor)
            for text in texts
        )
        outcome = Outcome(Reason.SUGGESTED, "", suggestions, dict(trace or {}))
        self.lifecycle.offered(request, outcome, menu=menu)
        return suggestions[0].id

    def show(self, *texts: str, seconds: float = 1.0) -> str:
        """Offer suggestions, say that the first is shown, and look at it."""
        id_ = self.offer(*texts)
        self.lifecycle.shown(id_)
        self.wait(seconds)
        return id_

    def change(self, *changes: tuple[Point, Point, str] | str) -> None:
        """Change the document; a string is its whole new content."""
        sent: list[Change] = []
        text = self.text
        for change in changes:
            if isinstance(change, str):
                sent.append(Change(None, change))
                text = Text(change)
                continue
            start, stop, new = change
            first = to_units(text, start, Encoding.UTF16)
            last = to_units(text, stop, Encoding.UTF16)
            sent.append(Change(Range(*first, *last), new))
            text = text.replace(start, stop, new)
        steps = list(steps_of(self.text, sent, Encoding.UTF16))
        self.text = text
        self.taken = bool(self.lifecycle.changed(self.uri, steps))

    def type(self, keys: str) -> None:
        """Type, key by key."""
        for key in keys:
            self.insert(key)

    def insert(self, text: str) -> None:
        """Insert something at once, and put the cursor behind it."""
        at = self.cursor
        self.cursor = Step(at, at, "", lf(text)).end
        self.change((at, at, text))

    def backspace(self, count: int = 1) -> None:
        """Delete characters before the cursor, on its line, one by one."""
        for _ in range(count):
            start = Point(self.cursor.line, self.cursor.column - 1)
            stop, self.cursor = self.cursor, start
            self.change((start, stop, ""))

    def edit(self, line: int, old: str, new: str) -> None:
        """Replace something on a line; the cursor stays where it is."""
        column = self.text.line_body(line).index(old)
        self.change((Point(line, column), Point(line, column + len(old)), new))

    def move(self, line: int, column: int) -> None:
        """Put the cursor elsewhere, and say so."""
        self.cursor = Point(line, column)
        self.lifecycle.moved(self.uri, self.cursor)

    def close(self) -> None:
        self.lifecycle.closed(self.uri)
        self._open = False

    @property
    def record(self) -> Shown | None:
        """The one record, if there is one."""
        assert len(self.kept.records) <= 1, self.kept.records
        return next(iter(self.kept.records.values()), None)

    def became(self) -> str:
        """Say in one word what became of the one suggestion; "" when nothing is known of it."""
        record = self.record
        if record is None:
            return ""
        return record.part or record.ending or "shown"
