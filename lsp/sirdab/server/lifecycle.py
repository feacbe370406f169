"""Follows each suggestion from its being offered to what became of it.

What editors tell of it differs: Neovim's client says what was shown and what was taken of it; VS
Code says what was taken whole, but of a word or a line nothing; others say nothing but what is
typed. So the text is followed too. At the place of a suggestion,

- a key that agrees with it leaves what is left of it on the screen;
- a piece of it that comes in at once was taken;
- anything else, or the cursor going elsewhere, is its end.

Where a client never says what it shows, a suggestion counts as shown when it was offered and for
200 ms nothing spoke against it; the record says which of the two it was. The texts stay in this
process; the recorder gets figures.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, get_args

from sirdab.completion.request import CompletionRequest, Outcome, Suggestion, Trigger
from sirdab.metrics.record import HORIZONS, PARTS, Answer, Ending, Part, Shown, Source
from sirdab.metrics.recorder import Recorder
from sirdab.server import convert
from sirdab.server.edit_steps import Span, Step, lf
from sirdab.text.document import Snapshot
from sirdab.text.store import Point

_log = logging.getLogger(__name__)

SHOWN_AFTER_SECONDS = 0.2
"""Twice what our client for VS Code waits before it says that a suggestion is shown."""

READ_AFTER_SECONDS = 0.25
"""Who looks at a word needs about this long to read it (fixations of 200 to 250 ms; Rayner, "Eye
Movements in Reading and Information Processing", 1998). What is gone sooner was not dismissed."""

# Ids that a client may still speak of, and accepted texts that are looked at again.
_REMEMBERED = 256
_MOST_KEPT = 64
# A look this much too late, by the time that it was due after, says nothing of that time.
_LATE = 1.5

_CLOSERS = frozenset(")]}\"'`>")
_SOURCES = frozenset(get_args(Source))

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _never_raises(
    method: "Callable[Concatenate[Lifecycle, _P], _R]",
) -> "Callable[Concatenate[Lifecycle, _P], _R | None]":
    """Make a method log what goes wrong: to count a suggestion is not worth losing it."""

    @wraps(method)
    def guarded(self: "Lifecycle", /, *args: _P.args, **kwargs: _P.kwargs) -> _R | None:
        try:
            return method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - see above
            _log.error("a suggestion could not be followed (%s)", type(error).__name__)
            return None

    return guarded


@dataclass(slots=True)
class _Story:
    """One suggestion.

    Attributes:
        id: Its id in the protocol.
        key: What its document is filed under.
        uri: Its document.
        point: Where what is left of it begins.
        rest: What is left of it, with LF line ends.
        typed: What was typed along it.
        taken: Characters of it that came in as pieces.
        offered_at: Seconds.
        invoked: Whether it was asked for explicitly.
        menu: Whether it is an item of a menu, where nobody knows whether it was seen and the
            items of other servers come in as well.
        record: What is known.
        shown_at: Since when it is on the screen, in seconds; None when it is not known to be.
        ended: Whether it is off the screen.
        accepted: What was taken of it.
        span: Where that is.
        accepted_at: When the first of it was taken.
    """

    id: str
    key: str
    uri: str
    point: Point
    rest: str
    offered_at: float
    invoked: bool
    menu: bool
    record: Shown
    typed: str = ""
    taken: int = 0
    shown_at: float | None = None
    ended: bool = False
    accepted: str = ""
    span: Span | None = None
    accepted_at: float = 0.0


class Lifecycle:
    """The suggestions of one session. No method raises."""

    def __init__(
        self,
        recorder: Recorder,
        snapshot: Callable[[str], Snapshot | None],
        later: Callable[[float, Callable[[], None]], object],
        *,
        on_welcome: Callable[[], None],
        on_dismissed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start without suggestions.

        Args:
            recorder: Gets the figures.
            snapshot: Returns an open document by its URI.
            later: Calls a function in so many seconds.
            on_welcome: Called when a suggestion was taken, or typed out.
            on_dismissed: Called when one that came by itself was seen and not wanted.
            clock: Seconds; injectable for tests.
        """
        self._recorder = recorder
        self._snapshot = snapshot
        self._later = later
        self._on_welcome = on_welcome
        self._on_dismissed = on_dismissed
        self._clock = clock
        self._stories: dict[str, _Story] = {}
        # What is on the screen, or may be, by document.
        self._current: dict[str, _Story] = {}
        # Accepted texts that will be looked at again, by document.
        self._kept: dict[str, list[_Story]] = {}
        # Whether this client says what it shows.
        self._tells = False
        self._count = 0

    # --- what the server knows ----------------------------------------------------------------

    @_never_raises
    def asked(self, request: CompletionRequest) -> None:
        """Take it that the editor asks at a place, so that the cursor is there."""
        self._move(convert.document_key(request.snapshot.uri), request.point)

    @_never_raises
    def moved(self, uri: str, point: Point) -> None:
        """Take it that the cursor is somewhere."""
        self._move(convert.document_key(uri), point)

    @_never_raises
    def offered(self, request: CompletionRequest, outcome: Outcome, *, menu: bool = False) -> None:
        """Take it that suggestions were sent to the client.

        Args:
            request: What was asked.
            outcome: What was sent; its trace says what it cost.
            menu: Whether as items of a menu.
        """
        key = convert.document_key(request.snapshot.uri)
        if key is None or not outcome.suggestions:
            return
        trace = outcome.trace
        source = _source(trace)
        language = request.snapshot.language_id
        latency_ms = _number(trace, "waited_ms") or _number(trace, "total_ms")
        tokens_read = round(_number(trace, "evaluated_tokens"))
        tokens_written = round(_number(trace, "generated_tokens"))
        self._recorder.answered(Answer(language, source, latency_ms, tokens_read, tokens_written))
        for suggestion in outcome.suggestions:
            self._offer(request, suggestion, key, source, latency_ms, menu=menu)
        # Of several the editor shows the first, until it says otherwise.
        first = self._stories[outcome.suggestions[0].id]
        now = self._snapshot(request.snapshot.uri)
        if now is None or now.text is not request.snapshot.text:
            return
        before = self._current.get(key)
        if before is not None and before is not first:
            if menu and not before.menu:
                return
            self._end(before, "replaced")
        if not first.ended:
            self._current[key] = first

    def _offer(
        self,
        request: CompletionRequest,
        suggestion: Suggestion,
        key: str,
        source: Source,
        latency_ms: float,
        *,
        menu: bool,
    ) -> None:
        text = request.snapshot.text
        have = lf(text.slice(suggestion.start, request.point))
        whole = lf(suggestion.text)
        rest = whole.removeprefix(have)
        story = self._stories.get(suggestion.id)
        if story is not None and story.key == key:
            # The same one again, further along, or grown since.
            if (story.point, story.rest) != (request.point, rest):
                grown = story.point == request.point and rest.startswith(story.rest)
                if grown:
                    story.record = replace(
                        story.record,
                        characters=story.record.characters + len(rest) - len(story.rest),
                        lines=story.record.lines + rest.count("\n") - story.rest.count("\n"),
                    )
                else:
                    story.typed = ""
                story.point, story.rest = request.point, rest
            if story.ended and story.record.part is None:
                story.ended, story.offered_at, story.shown_at = False, self._clock(), None
            return
        self._count += 1
        self._stories[suggestion.id] = _Story(
            id=suggestion.id,
            key=key,
            uri=request.snapshot.uri,
            point=request.point,
            rest=rest,
            offered_at=self._clock(),
            invoked=request.trigger is Trigger.INVOKED,
            menu=menu,
            record=Shown(
                number=self._count,
                language=request.snapshot.language_id,
                source=source,
                latency_ms=latency_ms,
                characters=len(rest),
                lines=rest.count("\n") + 1,
                told=False,
            ),
        )
        if len(self._stories) > _REMEMBERED:
            del self._stories[next(iter(self._stories))]

    # --- what the client says -----------------------------------------------------------------

    @_never_raises
    def shown(self, id_: str) -> None:
        """Take it that the client shows a suggestion."""
        self._tells = True
        story = self._stories.get(id_)
        if story is None or story.ended:
            return
        before = self._current.get(story.key)
        if before is not None and before is not story:
            self._end(before, "replaced")
        self._current[story.key] = story
        if story.shown_at is None:
            story.shown_at = self._clock()
        if not story.record.told:
            self._keep(story, told=True)

    @_never_raises
    def accepted(self, id_: str, part: str) -> None:
        """Take it that the client says that a suggestion was taken.

        Args:
            id_: The suggestion.
            part: One of `PARTS`.
        """
        story = self._stories.get(id_)
        if story is None or part not in PARTS:
            return
        characters = story.taken
        if part == "full" and not story.taken:
            # The text has come in as it could not be followed, or is still to come.
            characters = len(story.rest)
        self._take(story, part, characters, told=True)

    # --- what happens to the text ---------------------------------------------------------------

    @_never_raises
    def changed(self, uri: str, steps: Sequence[Step | None]) -> bool:
        """Take a change of a document.

        Args:
            uri: The document.
            steps: What it consists of; None is a step that is not known.

        Returns:
            Whether it was a piece of a suggestion that came in.
        """
        key = convert.document_key(uri)
        if key is None:
            return False
        taken = False
        for step in steps:
            if step is None:
                self._forget_places(key)
                continue
            least = step.least
            for story in self._kept.get(key, ()):
                if story.span is not None:
                    story.span = story.span.after(least)
            story = self._current.get(key)
            if story is not None and (least.old or least.new):
                taken = self._follow(story, least) or taken
        return taken

    @_never_raises
    def closed(self, uri: str) -> None:
        """Take it that a document was closed."""
        key = convert.document_key(uri)
        if key is not None:
            self._forget_places(key)

    @_never_raises
    def close(self) -> None:
        """Take it that the session is over."""
        for key in list(self._current):
            self._forget_places(key)

    def _forget_places(self, key: str) -> None:
        story = self._current.get(key)
        if story is not None:
            self._end(story, "left")
        self._kept.pop(key, None)

    def _move(self, key: str | None, point: Point) -> None:
        story = self._current.get(key) if key is not None else None
        if story is not None and story.point != point:
            self._end(story, "dismissed")

    def _follow(self, story: _Story, step: Step) -> bool:
        """Take a step in the document of what is on the screen; see `changed`."""
        if step.stop < story.point:
            story.point = step.shift(story.point)
            return False
        if step.start > story.point:
            return False
        if step.start == story.point == step.stop:
            return self._insert(story, step)
        if step.stop == story.point and not step.new and story.typed.endswith(step.old):
            # Backspace over what was typed along it.
            story.point = step.start
            story.typed = story.typed[: len(story.typed) - len(step.old)]
            story.rest = step.old + story.rest
            story.accepted = story.accepted.removesuffix(step.old)
            return False
        self._end(story, "dismissed")
        return False

    def _insert(self, story: _Story, step: Step) -> bool:
        new = step.new
        if not story.rest.startswith(new):
            if story.rest[:1] != new[0] or not new[1:] or not _CLOSERS.issuperset(new[1:]):
                self._end(story, "dismissed")
                return False
            # The editor has closed the bracket that was typed.
            new = new[0]
            step = step._replace(new=new)
        story.rest = story.rest[len(new) :]
        story.point = step.end
        # One character is a key, and so is Enter with the indentation that comes with it.
        piece = len(new) > 1 and bool(new.strip())
        if piece or story.span is not None:
            start = step.start
            if story.span is not None and story.span.stop == start:
                start = story.span.start
            else:
                story.accepted = ""
            story.accepted += new
            story.span = Span(start, step.end)
        if not piece:
            story.typed += new
            if not story.rest:
                self._end(story, "typed")
            return False
        story.typed = ""
        story.taken += len(new)
        if story.menu:
            # The item of another server may say the same; the client tells which was taken.
            return True
        part: Part = "full" if not story.rest else "line" if story.rest[0] == "\n" else "word"
        self._take(story, part, story.taken, told=False)
        if not story.rest:
            self._end(story, None)
        return True

    # --- its end --------------------------------------------------------------------------------

    def _take(self, story: _Story, part: Part, characters: int, *, told: bool) -> None:
        record = story.record
        first = record.part is None
        # What the client says counts more than what the text looks like; then the larger part.
        outdone = record.part_told and not told
        same = record.part_told == told
        if record.part is not None and (
            outdone or (same and PARTS.index(record.part) < PARTS.index(part))
        ):
            part = record.part
        now = self._clock()
        if story.shown_at is None:
            story.shown_at = story.offered_at
        story.record = replace(
            record,
            part=part,
            part_told=record.part_told or told,
            characters_accepted=max(record.characters_accepted, characters),
            ending=None,
            seen_ms=record.seen_ms or (now - story.shown_at) * 1000,
        )
        self._keep(story, told=record.told or told)
        if first:
            story.accepted_at = now
            self._on_welcome()
            self._look_again_later(story)

    def _end(self, story: _Story, ending: Ending | None) -> None:
        """Take a suggestion off the screen; nothing is recorded of one that never was on it."""
        if self._current.get(story.key) is story:
            del self._current[story.key]
        if story.ended:
            return
        story.ended = True
        now = self._clock()
        if story.shown_at is None:
            unsaid = not self._tells and not story.menu
            if not unsaid or now - story.offered_at < SHOWN_AFTER_SECONDS:
                return
            story.shown_at = story.offered_at
        if story.record.part is not None:
            return
        seen = now - story.shown_at
        if ending == "dismissed" and seen < READ_AFTER_SECONDS:
            ending = "passed"
        story.record = replace(story.record, ending=ending, seen_ms=seen * 1000)
        self._keep(story, told=story.record.told)
        if ending == "typed":
            self._on_welcome()
        elif ending == "dismissed" and not story.invoked:
            self._on_dismissed()

    def _keep(self, story: _Story, *, told: bool) -> None:
        story.record = replace(story.record, told=told)
        self._recorder.shown(story.record)

    # --- later ----------------------------------------------------------------------------------

    def _look_again_later(self, story: _Story) -> None:
        kept = self._kept.setdefault(story.key, [])
        kept.append(story)
        del kept[:-_MOST_KEPT]
        for horizon in HORIZONS:
            self._later(horizon, lambda horizon=horizon: self._look_again(story, horizon))

    def _look_again(self, story: _Story, horizon: int) -> None:
        kept = self._kept.get(story.key, [])
        if story not in kept:
            return
        if horizon == HORIZONS[-1]:
            kept.remove(story)
            if not kept:
                del self._kept[story.key]
        snapshot = self._snapshot(story.uri)
        # A laptop may have slept over it.
        late = self._clock() - story.accepted_at > horizon * _LATE
        if snapshot is None or story.span is None or late:
            return
        now = lf(snapshot.text.slice(*story.span))
        self._recorder.retained(story.record.number, horizon, story.accepted, now)


def _source(trace: dict[str, Any]) -> Source:
    """Return where an outcome's suggestion came from, by what its trace says."""
    name = trace.get("source")
    if isinstance(name, str) and name in _SOURCES:
        return cast("Source", str(name))
    return "cache" if trace.get("cache") == "hit" else "model"


def _number(trace: dict[str, Any], name: str) -> float:
    value = trace.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
