"""Typing only appends to the prompt: what a model server has to read of each key is bounded.

Random stretches of this project's own files (Python, TypeScript, Lua) are typed again into the rest
of the file, with the brackets and indentations that editors add by themselves, slips that are taken
back, and suggestions that are accepted.
"""

import random
from functools import cache
from itertools import pairwise, takewhile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirdab.benchmark.typist import Buffer, Kind, Stretch, Typist
from sirdab.completion.prompt import build
from sirdab.completion.window import Anchors, Budget
from sirdab.models.catalog import family_of
from sirdab.syntax.languages import language_of
from sirdab.text.store import Point, Text

ROOT = Path(__file__).parents[3]
FOLDERS = ("lsp/sirdab/**/*.py", "clients/vscode/src/**/*.ts", "clients/neovim/lua/**/*.lua")
FAMILY = family_of("qwen2.5-coder-0.5b-instruct")
BUDGET = Budget(before=2_000, after=600)
# What `sirdab.completion.heal` backs up over at most: a word, or the blanks of an indentation.
HEALED = 160


@cache
def sources() -> list[Path]:
    """The files, but not those too short to be cut."""
    found = [path for folder in FOLDERS for path in ROOT.glob(folder)]
    return sorted(path for path in found if path.read_text("utf-8").count("\n") > 50)


def begin(path: Path, chance: random.Random, lines: int) -> Typist:
    """Take lines out of a file, to be typed again."""
    whole = Text(path.read_text("utf-8"))
    first = chance.randrange(1, whole.line_count - lines - 1)
    last = first + lines
    while not whole.line_body(last).strip():
        last -= 1
    start, stop = Point(first - 1, len(whole.line_body(first - 1))), whole.clamp(Point(last, 9999))
    buffer = Buffer(whole.replace(start, stop, ""), start)
    stretch = Stretch(path.name, language_of(path), start, whole.slice(start, stop))
    return Typist(buffer, stretch, seed=chance.randrange(1 << 30))


def prompt_of(anchors: Anchors, buffer: Buffer) -> str:
    """What the model is asked at the cursor."""
    window = anchors.window("file:///a", buffer.text, buffer.point, BUDGET)
    return build(FAMILY, window.before, window.suffix).text


def same(one: str, other: str) -> int:
    """How many characters two prompts begin with in common."""
    if one.startswith(other):
        return len(other)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def press(typist: Typist, chance: random.Random) -> int:
    """Press a key or accept something, and return how many characters that put into the text."""
    if typist.rest.strip() and typist.line_before.strip() and chance.random() < 0.05:
        accepted = typist.rest[: chance.randint(1, 80)]
        typist.take(accepted)
        return len(accepted)
    kind, change = typist.press()
    if kind is Kind.LEAVE:
        # The end of the block is before the cursor now.
        return typist.buffer.point.column + 1
    return 1 if change is None else len(change.text)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_key_costs_what_it_put_into_the_text(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sources()))
    chance = random.Random(data.draw(st.integers(0, 1 << 30)))
    typist, anchors = begin(path, chance, data.draw(st.integers(3, 40))), Anchors()
    before = prompt_of(anchors, typist.buffer)
    since_moved, moves = 0, 0
    while not typist.done:
        typed = press(typist, chance)
        since_moved += typed
        now = prompt_of(anchors, typist.buffer)
        head = now.partition("<|fim_middle|>")[0]
        # The text after the cursor stands first, so it may not change because somebody types.
        assert head == before.partition("<|fim_middle|>")[0], typist.line_before
        read = len(now) - same(now, before)
        if read > typed + HEALED:
            # The window has outgrown its budget: it may start elsewhere, now and then.
            moves += 1
            assert moves == 1 or since_moved > BUDGET.before // 4, typist.line_before
            since_moved = 0
        before = now


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whoever_comes_back_to_a_place_asks_what_was_asked_before(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sources()))
    chance = random.Random(data.draw(st.integers(0, 1 << 30)))
    text, anchors = Text(path.read_text("utf-8")), Anchors()
    lines = data.draw(st.lists(st.integers(0, text.line_count - 1), min_size=2, max_size=5))
    here = [Point(line, len(text.line_body(line))) for line in lines]
    asked = [prompt_of(anchors, Buffer(text, point)) for point in here]
    for point in chance.sample(here, len(here)):
        now = prompt_of(anchors, Buffer(text, point))
        assert any(len(now) - same(now, before) <= HEALED for before in asked)


@pytest.mark.parametrize("typed", ["abc " * 2_000, "x" * 9_000])
def test_a_line_over_the_budget_is_cut_in_steps(typed: str) -> None:
    anchors, text, prompts = Anchors(), Text("start\n\nend\n"), [""]
    for column in range(len(typed)):
        text = text.replace(Point(1, column), Point(1, column), typed[column])
        window = anchors.window("u", text, Point(1, column + 1), BUDGET)
        assert len(window.before) <= BUDGET.before
        prompts.append(window.before)
    moved = sum(not now.startswith(before) for before, now in pairwise(prompts))
    assert moved <= len(typed) // (BUDGET.before // 4)
