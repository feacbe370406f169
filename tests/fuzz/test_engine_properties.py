"""Whatever the document and whatever the model says, the engine answers and stays within bounds."""

import asyncio
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from sirdab.completion.engine import Engine
from sirdab.completion.request import CompletionRequest, Reason, Selected, Trigger
from sirdab.config.schema import CompletionSettings, Settings
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text
from tests.support.completion import ScriptedEndpoint

_ORDINARY = ["a", "def f(", ")", ":", "    ", "\t", " ", "{", "}", "'", '"', "return", "x = 1\n"]
_NASTY = ["\n", "\r\n", "\r", "é", "漢", "😀", "\u202e", "\x1b", "\0", "\ud800"]
_SENTINELS = ["<|fim_middle|>", "<|endoftext|>"]
_PIECES = st.sampled_from([*_ORDINARY, *_NASTY, *_SENTINELS])
_CODE = st.lists(_PIECES, max_size=40).map("".join)


@settings(max_examples=300, deadline=None)
@given(
    document=_CODE,
    answer=_CODE,
    line=st.integers(0, 30),
    column=st.integers(0, 60),
    multiline=st.sampled_from(["auto", "never", "always"]),
    trigger=st.sampled_from(list(Trigger)),
    selected=st.none() | st.tuples(st.integers(0, 5), st.integers(0, 9), _CODE),
)
def test_every_request_gets_a_sound_answer(
    document: str,
    answer: str,
    line: int,
    column: int,
    multiline: str,
    trigger: Trigger,
    selected: tuple[int, int, str] | None,
) -> None:
    text = Text(document)
    point = text.clamp(Point(line, column))
    item = None
    if selected is not None:
        start = text.clamp(Point(point.line, min(selected[1], point.column)))
        item = Selected(start, point, selected[2])
    request = CompletionRequest(
        Snapshot("untitled:a", "python", 1, text),
        point,
        trigger,
        replace(Settings(), completion=CompletionSettings(multiline=multiline)),  # type: ignore[arg-type]
        selected=item,
    )
    outcome = asyncio.run(Engine(ScriptedEndpoint(answer)).complete(request))
    assert outcome.reason is not Reason.INTERNAL
    assert (outcome.reason is Reason.SUGGESTED) == bool(outcome.suggestions)
    for suggestion in outcome.suggestions:
        assert suggestion.text.strip()
        assert suggestion.start.line == suggestion.stop.line
        own = suggestion.text if item is None else suggestion.text.removeprefix(item.text)
        assert not set(own) & set("\u202e\x1b\0\ud800")
        assert "<|fim_middle|>" not in own
