"""One real question to the model: a gap that every model for code fills, first cold, then warm."""

import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sirdab.cli.checks.report import Check, failed, ok, warning

if TYPE_CHECKING:
    from sirdab.completion.engine import Engine
    from sirdab.config.schema import Settings

EXPECTED = "a + b"
"""What stood in the gap."""

# The mark is another one each time, so that no server knows the prompt from before. It stands at
# the beginning of both parts, because some layouts put the text after the gap first.
_BEFORE = '''\
# Figures {mark}


def add(a, b):
    """Return the sum of a and b."""
    return '''
_AFTER = '''


# Figures {mark}
def subtract(a, b):
    """Return the difference of a and b."""
    return a - b
'''


@dataclass(frozen=True, slots=True)
class Timing:
    """What one answer took.

    Attributes:
        first_token_ms: Until the first piece of the answer, in milliseconds; None without one.
        total_ms: Until its end, in milliseconds.
        prompt_tokens: Tokens of the prompt; 0 where the server does not tell.
        evaluated_tokens: Those of them that were read anew; 0 where the server does not tell.
        generated_tokens: Tokens written; 0 where the server does not tell.
        read_per_second: Prompt tokens read in a second; None where it is not known.
    """

    first_token_ms: float | None
    total_ms: float
    prompt_tokens: int
    evaluated_tokens: int
    generated_tokens: int
    read_per_second: float | None


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """How the model filled the gap.

    Attributes:
        wrote: What it wrote; "" for nothing.
        is_right: Whether that is what stood there.
        layout: Layout of the prompt; "" when nothing was asked.
        cold: The first answer, whose prompt the server had not seen.
        warm: The same again; None when the first failed.
        problem: Why there was no answer, as one sentence; "" when there was.
        reason: The short name of that.
    """

    wrote: str
    is_right: bool
    layout: str
    cold: Timing | None
    warm: Timing | None
    problem: str = ""
    reason: str = ""

    def facts(self) -> dict[str, Any]:
        """Return the round trip as it stands in the JSON report."""
        return {"gap": f"{_BEFORE.rpartition(chr(10))[2]}_", "expected": EXPECTED, **asdict(self)}


async def ask(engine: "Engine", settings: "Settings") -> RoundTrip:
    """Have the gap filled twice.

    Args:
        engine: Asks the model that the settings mean.
        settings: The settings in force.

    Raises:
        EndpointError: The model cannot be used.
    """
    from sirdab.completion.request import CompletionRequest, Trigger
    from sirdab.text.document import Snapshot
    from sirdab.text.store import Point, Text

    mark = secrets.token_hex(4)
    before, after = _BEFORE.format(mark=mark), _AFTER.format(mark=mark)
    lines = before.split("\n")
    request = CompletionRequest(
        snapshot=Snapshot("untitled:doctor.py", "python", 0, Text(before + after)),
        point=Point(len(lines) - 1, len(lines[-1])),
        trigger=Trigger.INVOKED,
        settings=settings,
    )
    first = await engine.complete(request, fresh=True)
    layout = str(first.trace.get("layout", ""))
    if not first.suggestions:
        return RoundTrip(
            "", False, layout, _timing(first.trace), None, first.detail, first.reason.value
        )
    second = await engine.complete(request, fresh=True)
    wrote = first.suggestions[0].text
    return RoundTrip(
        wrote,
        is_right=_plain(wrote).startswith(_plain(EXPECTED)),
        layout=layout,
        cold=_timing(first.trace),
        warm=_timing(second.trace) if second.suggestions else None,
    )


def check(trip: RoundTrip) -> Check:
    """Return the row on a round trip."""
    if trip.problem:
        if trip.reason in ("endpoint", "internal"):
            return failed("Completion", trip.problem)
        return failed("Completion", f"the model filled the test gap with nothing: {trip.problem}")
    shown = trip.wrote.partition("\n")[0]
    times = "; ".join(
        f"{name} {_words(timing)}"
        for name, timing in (("cold", trip.cold), ("warm", trip.warm))
        if timing is not None
    )
    detail = f'"return " → "{shown}" ({times})'
    if trip.is_right:
        return ok("Completion", detail)
    return warning(
        "Completion",
        f'{detail}; "{EXPECTED}" stood there, so this model may know another prompt format, or '
        "little of code: see the row on the model.",
    )


def _timing(trace: dict[str, Any]) -> Timing | None:
    if "model_ms" not in trace:
        return None
    first, total = trace.get("first_token_ms"), float(trace["model_ms"])
    evaluated = int(trace.get("evaluated_tokens", 0))
    # What the server says of its own time is surer than ours, which holds the way as well.
    reading_ms = float(trace.get("prompt_ms", 0)) or float(first or 0)
    return Timing(
        first_token_ms=first,
        total_ms=total,
        prompt_tokens=int(trace.get("prompt_tokens", 0)),
        evaluated_tokens=evaluated,
        generated_tokens=int(trace.get("generated_tokens", 0)),
        read_per_second=round(evaluated * 1000 / reading_ms, 1)
        if evaluated and reading_ms
        else None,
    )


def _words(timing: Timing) -> str:
    first = "" if timing.first_token_ms is None else f", first token {timing.first_token_ms:.0f} ms"
    read = ""
    if timing.prompt_tokens:
        read = f", {timing.evaluated_tokens} of {timing.prompt_tokens} tokens read"
    # The speed of a handful of tokens says nothing.
    if timing.read_per_second is not None and timing.evaluated_tokens >= 16:
        read += f" at {timing.read_per_second:,.0f}/s"
    return f"{timing.total_ms:.0f} ms{first}{read}"


def _plain(text: str) -> str:
    return "".join(text.split())
