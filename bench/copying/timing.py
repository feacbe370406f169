"""What a prediction takes while one types."""

import random
import statistics
import time
from typing import NamedTuple

from bench.copying.model import MODEL
from bench.copying.places import FITTED, JUDGED, PACKAGES, SEED, files_of
from sirdab.completion.copy import CopyPredictor
from sirdab.completion.gates import Rules
from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.config.schema import Settings
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

# More real lines for documents of 50,000 lines.
FILLING = ("setuptools", "pip", "playwright")
KEYS = 600
WARM_KEYS = 40
SIZES = ((500, 1), (5_000, 1), (50_000, 1), (5_000, 32))
"""Lines of each document, and how many documents are open."""


class Timing(NamedTuple):
    """Milliseconds over many keys, and what the index took.

    Attributes:
        median: Of a prediction with the key's own indexing.
        p95: Of the same.
        cpu_median: The same without the time in which the machine did something else.
        cpu_p95: Of the same.
        said: Share of the keys at which something was predicted.
        index_ms: Indexing everything once.
        index_mb: Memory of the index.
    """

    median: float
    p95: float
    cpu_median: float
    cpu_p95: float
    said: float
    index_ms: float
    index_mb: float


def timing(lines: int, documents: int) -> Timing:
    """Type into the middle of a document of real lines, with others like it open."""
    source: list[str] = []
    for name in (*FITTED, *JUDGED, *FILLING):
        for path in files_of(PACKAGES, name):
            source += path.read_text(encoding="utf-8", errors="replace").split("\n")
    texts = [Text("\n".join(source[n * lines :][:lines])) for n in range(documents)]
    others = tuple(Snapshot(f"file:///bench/{n}.py", "python", 1, t) for n, t in enumerate(texts))
    predictor = CopyPredictor(Rules())
    settings = Settings()

    def request(text: Text, point: Point) -> CompletionRequest:
        snapshot = Snapshot("file:///bench/here.py", "python", 1, text)
        return CompletionRequest(
            snapshot, point, Trigger.AUTOMATIC, settings, open_documents=others[1:]
        )

    text = texts[0]
    started = time.perf_counter()
    predictor.look(request(text, Point(0, 0)))
    while predictor.pending:
        predictor.look(request(text, Point(0, 0)))
    predictor.settle()
    index_ms = (time.perf_counter() - started) * 1000
    times: list[float] = []
    worked: list[float] = []
    said = 0
    chance = random.Random(SEED)
    while len(times) < KEYS:
        number = chance.randrange(lines // 4, lines * 3 // 4)
        body = text.line_body(number)
        indent = len(body) - len(body.lstrip())
        if len(body.strip()) < 10:
            continue
        current = text.replace(Point(number, indent), Point(number, len(body)), "")
        for column in range(indent, len(body)):
            point = Point(number, column)
            asked = request(current, point)
            started, began = time.perf_counter(), time.thread_time()
            said += predictor.predict(asked, model=MODEL) is not None
            times.append((time.perf_counter() - started) * 1000)
            worked.append((time.thread_time() - began) * 1000)
            current = current.replace(point, point, body[column])
        text = current
    # The first keys import and compile what is needed once in a session.
    wall, cpu = sorted(times[WARM_KEYS:]), sorted(worked[WARM_KEYS:])
    return Timing(
        round(statistics.median(wall), 3),
        round(wall[int(len(wall) * 0.95)], 3),
        round(statistics.median(cpu), 3),
        round(cpu[int(len(cpu) * 0.95)], 3),
        round(said / len(times), 3),
        round(index_ms, 1),
        round(predictor.bytes / 1e6, 2),
    )
