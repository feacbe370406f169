"""The instant answer: what is about to be typed, copied from where it stands already.

Much of what one types stands somewhere else in the open documents or in the files beside them,
and where enough of the text before the cursor agrees, what follows there is right more often than
a small model is. It takes less than a millisecond. How sure it is was measured
(`copying/confidence.py`): it answers in place of the model only where it is at least as often
right, and with less certainty where the model does not answer.

Nothing is copied from a document that may not be read, and no line with a secret.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from sirdab.completion import gates, postprocess, region, shape
from sirdab.completion.copying.confidence import NEVER, Kind, calibration, kind_of
from sirdab.completion.copying.corpus import MAX_BYTES, Corpus, Indexed
from sirdab.completion.copying.predict import Prediction, predict
from sirdab.completion.lines import TAB_COLUMNS
from sirdab.completion.question import apply_selected
from sirdab.completion.request import CompletionRequest, Reason
from sirdab.completion.shape import Shape
from sirdab.completion.stop import StreamStop
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

MAX_DOCUMENTS = 32
"""Documents that are copied from, the request's own among them; those edited last count."""

# Lines on each side that decide about the shape and about what is there already.
_LINES_ABOVE = 20
_LINES_BELOW = 10
# Lines that are looked at for whether the document is indented with tabs.
_SNIFFED_LINES = 20
# How long a verdict on another document is believed, and how many are renewed with one request:
# one means looking at the ignore files on the disk. What is copied is judged again before it is.
_BELIEVED_SECONDS = 5.0
_VERDICTS_PER_REQUEST = 2
# Time of a request in which chunks may be indexed.
_INDEXING_SECONDS = 0.0004
# As many lines as a private key may have around the one that is copied (`policy.secrets`).
_KEY_LINES = 400
_KEY_LIKE = re.compile(r"[A-Za-z0-9+/=]{16,}")

# Languages that are written in the same words; others are not copied from one into the other.
_RELATED = {
    "javascriptreact": "javascript",
    "typescript": "javascript",
    "typescriptreact": "javascript",
    "objective-c": "c",
    "cpp": "c",
}


class Copied(NamedTuple):
    """What the predictor says at a place.

    Attributes:
        text: The suggestion, with LF line ends; "" where it is not sure and nobody asked for it.
        confidence: How likely the rest of the line is right, from 0 to 1.
        bar: What it has to be here.
        tokens: How many tokens before the cursor agree.
        origin: Name and line, from 1, of where it was copied from.
        kind: The kind of place.
    """

    text: str
    confidence: float
    bar: float
    tokens: int
    origin: str
    kind: Kind

    @property
    def is_sure(self) -> bool:
        """Whether it may be offered."""
        return self.confidence >= self.bar

    def as_trace(self, *, with_text: bool = False) -> dict[str, Any]:
        """Return what `sirdab/explain` and the metrics are told.

        Args:
            with_text: Whether to tell what would be suggested as well.
        """
        return {
            **({"text": self.text, "offered": self.is_sure} if with_text else {}),
            "confidence": round(self.confidence, 3),
            "bar": None if self.bar == NEVER else self.bar,
            "matched_tokens": self.tokens,
            "from": self.origin,
            "kind": self.kind,
        }


@dataclass(slots=True)
class _Verdict:
    """Whether a document may be read, as it was found lately."""

    allowed: bool
    until: float


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands around the cursor."""

    around: postprocess.Surroundings
    shape: Shape
    kind: Kind


class CopyPredictor:
    """Predicts from the open documents, those that were closed last, and the nearest files."""

    def __init__(
        self,
        rules: gates.Rules,
        *,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start without documents.

        Args:
            rules: Say which documents may be read.
            max_bytes: Most memory for the index.
            clock: Seconds; injectable for tests.
        """
        self._rules = rules
        self._clock = clock
        self._corpus = Corpus(max_bytes=max_bytes)
        self._verdicts: dict[str, _Verdict] = {}
        self._judged_by: object = None
        self._undecided = False
        # What was predicted last, for the next question about the same place.
        self._last: tuple[Text, Point, tuple[Text, ...], Prediction | None] | None = None

    def forget(self, uri: str) -> None:
        """Take it that a document was closed."""
        self._corpus.close(uri)

    def clear(self) -> None:
        """Drop everything."""
        self._corpus.clear()
        self._verdicts.clear()
        self._last = None

    def settle(self) -> None:
        """Index all that is known now, however long it takes; for benches and tests."""
        self._corpus.work(None)
        self._last = None

    @property
    def bytes(self) -> int:
        """Memory of the index."""
        return self._corpus.bytes

    @property
    def pending(self) -> bool:
        """Whether a document has been named of which it is not known yet whether to read it."""
        return self._undecided

    def look(self, request: CompletionRequest) -> None:
        """Take the documents of a request, so that they are indexed when they are needed."""
        self._corpus.show([request.snapshot, *self._readable(request)])
        if self._corpus.work(_INDEXING_SECONDS):
            self._corpus.work_later()

    def predict(
        self,
        request: CompletionRequest,
        *,
        model: str = "",
        standing_in: bool = False,
        unsure: bool = False,
    ) -> Copied | None:
        """Say what is about to be typed.

        Args:
            request: The request, which has passed the gates.
            model: Name of the model that would be asked; "" when it is not known.
            standing_in: Whether there will be no answer of the model.
            unsure: Whether to say also what is not sure enough to be offered.

        Returns:
            What it says, sure or not; None when it has nothing to say.
        """
        self.look(request)
        text, point = apply_selected(request)
        documents = list(self._corpus)[:MAX_DOCUMENTS]
        prediction = self._predict(text, point, documents)
        if prediction is None:
            return None
        source = documents[prediction.document].snapshot
        if prediction.document and not self._judge(source, request):
            self._corpus.refuse(source.uri)
            return None
        place = _place_at(request, text, point)
        found = calibration()
        sure = found.confidence(prediction)
        bars = found.bars(model)
        bar = (bars.stand_in if standing_in else bars.instant)[place.kind]
        name = PurePosixPath(unquote(urlsplit(source.uri).path) or source.uri).name
        copied = Copied(
            text="",
            confidence=sure,
            bar=bar,
            tokens=prediction.tokens,
            origin=f"{name}:{prediction.line + 1}",
            kind=place.kind,
        )
        if sure < bar and not unsure:
            return copied
        said = prediction.rest
        if place.shape is Shape.BLOCK:
            said = "\n".join([said, *found.lines(prediction, sure, bar)])
        if _holds_secret(source.text, prediction.line, said, place.around.line_before):
            return None
        stop = StreamStop(place.shape, place.around.line_before, place.around.below)
        cut = stop.feed(said)
        # What was whole there may close here what nothing has opened: the syntax tree decides.
        item = region.cut(text, point, request.snapshot.language_id)
        around = replace(place.around, region=item)
        processed = postprocess.process(stop.finish() if cut is None else cut, around)
        if processed.reason is not Reason.SUGGESTED:
            return None
        return copied._replace(text=processed.text)

    def _predict(self, text: Text, point: Point, documents: list[Indexed]) -> Prediction | None:
        """Predict, or return what was predicted for the very same texts."""
        texts = tuple(document.snapshot.text for document in documents)
        complete = all(document.complete for document in documents)
        last = self._last
        if last is not None and complete and last[0] is text and last[1] == point:
            known = last[2]
            if len(known) == len(texts) and all(map(_same, known, texts)):
                return last[3]
        found = predict(text, point, documents)
        self._last = (text, point, texts, found) if complete else None
        return found

    def _readable(self, request: CompletionRequest) -> Iterator[Snapshot]:
        """Yield the other documents that may be read, those edited last first."""
        by = (request.settings.privacy.exclude, request.workspace_folders)
        if by != self._judged_by:
            self._verdicts.clear()
            self._judged_by = by
        now, left = self._clock(), _VERDICTS_PER_REQUEST
        language = _family(request.snapshot.language_id)
        seen = {request.snapshot.uri}
        self._corpus.opened([request.snapshot.uri, *(one.uri for one in request.open_documents)])
        self._undecided = False
        for other in (*request.open_documents, *self._corpus.closed(), *request.neighbours):
            if other.uri in seen or _family(other.language_id) != language:
                continue
            if len(seen) >= MAX_DOCUMENTS:
                break
            verdict = self._verdicts.get(other.uri)
            if (verdict is None or now > verdict.until) and left:
                left -= 1
                self._judge(other, request)
                verdict = self._verdicts.get(other.uri)
            self._undecided |= verdict is None
            if verdict is not None and verdict.allowed and other.suspect is None:
                seen.add(other.uri)
                yield other

    def _judge(self, other: Snapshot, request: CompletionRequest) -> bool:
        """Ask the rules about a document, and remember what they say."""
        allowed = self._rules.may_be_read(other, request)
        if len(self._verdicts) > 8 * MAX_DOCUMENTS:
            self._verdicts.clear()
        self._verdicts[other.uri] = _Verdict(allowed, self._clock() + _BELIEVED_SECONDS)
        return allowed


def _same(one: Text, other: Text) -> bool:
    return one is other


def _family(language_id: str) -> str:
    return _RELATED.get(language_id, language_id)


def _place_at(request: CompletionRequest, text: Text, point: Point) -> _Place:
    """Describe what stands around the cursor, as it is described for the model's answer."""
    body = text.line_body(point.line)
    line_before, rest_of_line = body[: point.column], body[point.column :]
    above = [text.line_body(n) for n in range(max(point.line - _LINES_ABOVE, 0), point.line)]
    stop = min(point.line + 1 + _LINES_BELOW, text.line_count)
    below = [text.line_body(n) for n in range(point.line + 1, stop)]
    multiline = request.settings.completion.multiline
    # Without the syntax tree: this is done for each key, and what is copied was whole lines there.
    chosen = shape.decide(
        "\n".join([*above, line_before]),
        rest_of_line,
        multiline,
        below="\n".join(below),
        just_accepted=request.just_accepted,
    )
    last = next((line for line in reversed(above) if line.strip()), "")
    around = postprocess.Surroundings(
        line_before=line_before,
        rest_of_line=rest_of_line,
        below="\n".join(below),
        uses_tabs=_uses_tabs(above[-_SNIFFED_LINES:] + below),
        above=last.rstrip(),
    )
    return _Place(around, chosen, kind_of(chosen, line_before))


def _uses_tabs(lines: list[str]) -> bool:
    blanks = " " * (TAB_COLUMNS // 2)
    tabs = sum(line.startswith("\t") for line in lines)
    return tabs > sum(line.startswith(blanks) for line in lines)


def _holds_secret(there: Text, line: int, said: str, line_before: str) -> bool:
    """Whether something secret would be copied, or made by putting both parts together."""
    from sirdab.policy.secrets import find_secrets, line_has_secret

    count = said.count("\n") + 1
    lines = [there.line_body(n) for n in range(line, min(line + count, there.line_count))]
    here = line_before + said
    if any(map(line_has_secret, (*lines, *here.split("\n")))):
        return True
    if not any(map(_KEY_LIKE.search, lines)):
        return False
    # A line of a private key shows what it is only by the markers far above or below it.
    first = max(line - _KEY_LINES, 0)
    around = [text.rstrip("\r\n") for text in there.lines(first, line + count + _KEY_LINES)]
    window = "\n".join(around)
    if "PRIVATE KEY" not in window:
        return False
    start = sum(len(text) + 1 for text in around[: line - first])
    stop = start + sum(len(text) + 1 for text in lines)
    return any(span.start < stop and span.stop > start for span in find_secrets(window))
