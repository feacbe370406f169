"""Our document against a naive oracle, under random edits in the three encodings."""

from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sirdab.text import store
from sirdab.text.document import Change, Document, Range, Snapshot
from sirdab.text.positions import Encoding

ALPHABET = "ab \t\n\r\x0b\x0c\x85\u2028\u0301é√😀𝔸"
CONTENTS = st.one_of(
    st.text(alphabet=st.sampled_from(ALPHABET), max_size=12),
    st.lists(st.sampled_from(["x", "é😀", ""]), max_size=20).map("\r\n".join),
    st.sampled_from(["\n", "\r", "\r\n", "\n\r", "\r\r\n", "\n" * 30, "a\rb\n" * 10]),
)
NUMBERS = st.one_of(st.integers(0, 12), st.integers(0, 80), st.just(2**31 - 1))


class Oracle:
    """The content as one flat list of units; every question is answered by walking it."""

    def __init__(self, content: str, encoding: Encoding) -> None:
        self.codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
        self.width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
        self.units = self.encode(content)

    def encode(self, content: str) -> list[int]:
        raw = content.encode(self.codec, "surrogatepass")
        return [
            int.from_bytes(raw[at : at + self.width], "little")
            for at in range(0, len(raw), self.width)
        ]

    def content(self) -> str:
        raw = b"".join(unit.to_bytes(self.width, "little") for unit in self.units)
        return raw.decode(self.codec, "surrogatepass")

    def line_spans(self) -> list[tuple[int, int]]:
        """First unit of each line, and the unit at which its body ends."""
        spans: list[tuple[int, int]] = []
        start = at = 0
        while at < len(self.units):
            unit = self.units[at]
            if unit not in (10, 13):
                at += 1
                continue
            spans.append((start, at))
            at += 2 if self.units[at : at + 2] == [13, 10] else 1
            start = at
        return [*spans, (start, len(self.units))]

    def index(self, line: int, character: int) -> int:
        spans = self.line_spans()
        if line >= len(spans):
            return len(self.units)
        start, end = spans[line]
        at = min(start + character, end)
        while self.width == 1 and at < end and 0x80 <= self.units[at] < 0xC0:
            at -= 1
        return at

    def replace(self, span: Range, new: str) -> None:
        low, high = sorted((self.index(*span[:2]), self.index(*span[2:])))
        self.units[low:high] = self.encode(new)


class DocumentMachine(RuleBasedStateMachine):
    encoding = Encoding.UTF16

    def __init__(self) -> None:
        super().__init__()
        # Tiny chunks make splitting and merging of chunks an every-step affair.
        self.patches = [
            patch.object(store, "_CHUNK", 4),
            patch.object(store, "_CHUNK_MAX", 8),
            patch.object(store, "_CHUNK_MIN", 3),
        ]
        for one in self.patches:
            one.start()

    def teardown(self) -> None:
        for one in self.patches:
            one.stop()

    @initialize(content=CONTENTS)
    def open(self, content: str) -> None:
        self.document = Document.open("file:///x", "python", 0, content, self.encoding)
        self.oracle = Oracle(content, self.encoding)
        self.kept: list[tuple[Snapshot, str]] = []

    @rule(
        spans=st.lists(
            st.tuples(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), CONTENTS), max_size=3
        )
    )
    def edit(self, spans: list[tuple[tuple[int, int, int, int], str]]) -> None:
        changes = [Change(Range(*span), new) for span, new in spans]
        self.document.apply(changes, self.document.version + 1)
        for span, new in spans:
            self.oracle.replace(Range(*span), new)

    @rule(line=NUMBERS, character=NUMBERS, new=CONTENTS)
    def type(self, line: int, character: int, new: str) -> None:
        line %= self.document.text.line_count
        span = Range(line, character, line, character)
        self.document.apply([Change(span, new)], self.document.version + 1)
        self.oracle.replace(span, new)

    @rule(new=CONTENTS)
    def resync(self, new: str) -> None:
        self.document.apply([Change(None, new)], self.document.version + 2)
        self.oracle.units = self.oracle.encode(new)
        assert self.document.suspect is None

    @rule()
    def keep(self) -> None:
        snapshot = self.document.snapshot()
        self.kept.append((snapshot, str(snapshot.text)))

    @invariant()
    def same_content(self) -> None:
        text, content = self.document.text, self.oracle.content()
        assert str(text) == content
        assert text.char_count == len(content)
        assert text.line_count == len(self.oracle.line_spans())

    @invariant()
    def same_shape_as_read_afresh(self) -> None:
        text = self.document.text
        fresh = store.Text(str(text))
        assert list(text.lines()) == list(fresh.lines())
        assert text.line_end == fresh.line_end
        assert text.end == fresh.end
        assert all(1 <= len(chunk) <= store._CHUNK_MAX for chunk in text._chunks)

    @invariant()
    def snapshots_do_not_change(self) -> None:
        for snapshot, content in self.kept:
            assert str(snapshot.text) == content


@pytest.mark.parametrize("encoding", list(Encoding))
def test_document_agrees_with_the_oracle(encoding: Encoding) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    machine = type("Machine", (DocumentMachine,), {"encoding": encoding})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=150, stateful_step_count=30, deadline=None)
    )
