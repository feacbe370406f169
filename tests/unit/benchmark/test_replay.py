"""A replay does what happens in an editor, and its person accepts nothing but what is true."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sirdab.benchmark.replay import (
    Answer,
    Keystroke,
    OpenFile,
    Player,
    Session,
    lay_out,
    sessions,
)
from sirdab.benchmark.rhythm import Rhythm
from sirdab.benchmark.typist import Change, Stretch
from sirdab.text.store import Point, Text

TARGET = "\n    total = sum(values)\n    return total / len(values)"
SESSION = Session(
    id="mean.py",
    path="mean.py",
    language_id="python",
    text=Text("def mean(values):\n\n\nprint(mean([1]))\n"),
    stretches=(Stretch("mean.py:2", "python", Point(0, 17), TARGET),),
    segments=((0, len(TARGET)),),
    others=(),
)
WHOLE = f"def mean(values):{TARGET}\n\n\nprint(mean([1]))\n"

# Nobody types this fast; nobody waits for a test either. The spread is that of a person.
QUICK = Rhythm(in_word=2, at_word=2, at_sign=2, at_line=4, thought=4, thinks_at_line=0.0, slip=0.0)


class Scripted:
    """A contestant whose answers a test decides about, and which follows the edits by itself."""

    def __init__(self, say: Callable[[str], str], delay_s: float = 0.0) -> None:
        self._say = say
        self._delay_s = delay_s
        self.text = Text()
        self.events: list[str] = []

    async def open(self, file: OpenFile, others: Sequence[OpenFile], point: Point) -> None:
        self.text = file.text
        self.events.append(f"open {file.path.name} {len(others)} {point.line}")

    def changed(self, change: Change) -> None:
        self.text = self.text.replace(change.start, change.stop, change.text)

    def moved(self, point: Point) -> None:
        self.events.append(f"moved to line {point.line}")

    async def ask(self, text: Text, point: Point) -> Answer | None:
        assert str(text) == str(self.text)
        try:
            await asyncio.sleep(self._delay_s)
        except asyncio.CancelledError:
            self.events.append("cancelled")
            raise
        said = self._say(text.slice(Point(0, 0), point))
        return Answer("s1", said, "script") if said else None

    def accepted(self, answer: Answer, how: str) -> None:
        self.events.append(f"accepted {how} of {answer.id}")

    async def close(self) -> None:
        self.events.append("close")


def truth(before: str) -> str:
    """What stands behind a cursor in the finished file, up to the end of the line."""
    return WHOLE[len(before) :].split("\n")[0].removesuffix(")") if WHOLE.startswith(before) else ""


async def replay(
    contestant: Scripted, tmp_path: Path, session: Session = SESSION, **player: float
) -> list[Keystroke]:
    lay_out(tmp_path, [session], tmp_path)
    made = Player(contestant, editor_delay_ms=player.get("delay", 0.0), rhythm=QUICK)
    return await made.play(session, tmp_path)


@pytest.fixture
def _notices_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sirdab.benchmark.replay.NOTICE_MS", 0.0)
    monkeypatch.setattr("sirdab.benchmark.replay._ATTENTIVE", 1.0)


@pytest.mark.usefixtures("_notices_at_once")
async def test_who_is_told_the_truth_accepts_it(tmp_path: Path) -> None:
    contestant = Scripted(truth)
    keys = await replay(contestant, tmp_path)
    assert str(contestant.text) == WHOLE
    assert sum(key.accepted for key in keys) > 20
    assert len(keys) < len(TARGET) // 2
    assert "accepted full of s1" in contestant.events


@pytest.mark.usefixtures("_notices_at_once")
async def test_what_is_partly_true_is_accepted_up_to_there(tmp_path: Path) -> None:
    contestant = Scripted(lambda before: said + " !!!" if (said := truth(before)) else "")
    keys = await replay(contestant, tmp_path)
    assert str(contestant.text) == WHOLE
    assert sum(key.accepted for key in keys) > 10
    assert "accepted word of s1" in contestant.events
    assert "accepted full of s1" not in contestant.events


@pytest.mark.usefixtures("_notices_at_once")
async def test_what_is_not_true_is_typed_over(tmp_path: Path) -> None:
    contestant = Scripted(lambda _: "import antigravity\n")
    keys = await replay(contestant, tmp_path)
    assert str(contestant.text) == WHOLE
    assert not any(key.accepted for key in keys)


async def test_the_next_key_gives_a_request_up(tmp_path: Path) -> None:
    contestant = Scripted(truth, delay_s=30.0)
    keys = await replay(contestant, tmp_path)
    # One that was given up before it was asked for is no request.
    asked = [key for key in keys if key.asked_ms is not None]
    assert contestant.events.count("cancelled") == len(asked) > 1
    assert all(key.answered_ms is None and key.shown_ms is None for key in keys)


async def test_an_editor_that_waits_asks_only_when_the_keys_pause(tmp_path: Path) -> None:
    keys = await replay(Scripted(truth), tmp_path, delay=20_000.0)
    assert all(key.asked_ms is None for key in keys)


async def test_keys_that_agree_with_what_is_visible_are_typed_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody looks, so all is typed, and what is shown agrees with each key.
    monkeypatch.setattr("sirdab.benchmark.replay._ATTENTIVE", -1.0)
    contestant = Scripted(truth)
    keys = await replay(contestant, tmp_path)
    assert not any(key.accepted for key in keys)
    assert sum(key.along for key in keys) > len(TARGET) // 2


async def test_a_jump_comes_back_to_where_it_began(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    lines = [f"def f_{n}(a):\n    return g(a, {n})\n\n" for n in range(40)]
    (tmp_path / "source" / "many.py").write_text("".join(lines))
    found = next(iter(sessions(tmp_path / "source", 1)))
    assert [index for index, _ in found.segments] in ([0, 1, 0], [1, 0, 1])
    workspace = tmp_path / "workspace"
    lay_out(tmp_path / "source", [found], workspace)
    # The right answer is not on the disk either.
    assert (workspace / "many.py").read_text() == str(found.text) != "".join(lines)
    contestant = Scripted(lambda _: "")
    player = Player(contestant, editor_delay_ms=0.0, rhythm=QUICK)
    await player.play(found, workspace)
    assert str(contestant.text) == "".join(lines)
    assert len([event for event in contestant.events if event.startswith("moved")]) >= 3


def test_the_same_seed_gives_the_same_sessions(tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "c.py"):
        code = "".join(f"def {name[0]}_{n}(x):\n    return x + {n}\n\n" for n in range(40))
        (tmp_path / name).write_text(code)
    first, again = (
        [(one.id, one.stretches) for one in sessions(tmp_path, seed)] for seed in (1, 1)
    )
    assert first == again
    assert first != [(one.id, one.stretches) for one in sessions(tmp_path, 2)]
