"""Makes the question that a model is asked at a place, and what its answer is judged by.

Whatever decides what the model gets to see is tied together here: the window, the secrets, the
shape of the answer, the prompt of the model's family.
"""

import time
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from sirdab.completion import postprocess, region, shape
from sirdab.completion.budget import Speed
from sirdab.completion.cache import Place
from sirdab.completion.chat_fill.extraction import Extraction
from sirdab.completion.chat_fill.place import Place as AnswerPlace
from sirdab.completion.context import ContextBlock, ContextSource
from sirdab.completion.lines import indentation_width
from sirdab.completion.prompt import Prompt, build
from sirdab.completion.request import CompletionRequest, Selected
from sirdab.completion.shape import Shape
from sirdab.completion.speeds import Speeds
from sirdab.completion.window import Anchors, Window
from sirdab.endpoint.base import Endpoint, EndpointSource, ModelInfo
from sirdab.models.catalog import Family
from sirdab.text.store import Point, Text


class Question(NamedTuple):
    """What the model is asked, and what its answer will be judged by."""

    endpoint: Endpoint
    info: ModelInfo
    prompt: Prompt
    shape: Shape
    around: postprocess.Surroundings
    place: Place
    window: Window
    language_id: str

    def extraction(self) -> Extraction | None:
        """Return what takes the completion out of the answer; None where all of it is one."""
        if self.prompt.layout != "chat":
            return None
        return Extraction(
            AnswerPlace.behind(self.window.before, self.around.indent_width),
            self.language_id,
            marker=self.prompt.marker,
            fence=self.prompt.fence,
        )


class Serving(NamedTuple):
    """A model of a server: what one says is not what another one would."""

    model: str
    url: str


class Composer:
    """Makes questions, and remembers what makes one like the one before."""

    def __init__(
        self,
        endpoints: EndpointSource,
        clock: Callable[[], float] = time.perf_counter,
        context: ContextSource | None = None,
        speeds: Speeds | None = None,
    ) -> None:
        """Make a composer.

        Args:
            endpoints: Finds the model server.
            clock: Seconds; injectable for tests.
            context: Holds what is shown from beyond the document; None for nothing.
            speeds: Remembers how fast models are.
        """
        self._context = context
        self._endpoints = endpoints
        self._clock = clock
        self._anchors = Anchors()
        # What the model server said of itself when it was asked last.
        self._info: ModelInfo | None = None
        # Which model is in use, as far as is known: the one that was asked last, or the one that
        # has been gone over to since.
        self._serving: Serving | None = None
        # The first of them: what was copied before any was known is filed with what it says.
        self._first: Serving | None = None
        self._speeds = speeds or Speeds()
        self.speed = Speed()

    @property
    def model(self) -> str:
        """Name of the model that was asked last, "" before the first question."""
        return self._info.name if self._info else ""

    def served_by(self, model: str, url: str) -> None:
        """Take it that another model is in use now; what one said is not shown for another.

        Args:
            model: Its name.
            url: Address of its server.
        """
        self._serving = Serving(model, url)
        self._first = self._first or self._serving

    def conditions(self, request: CompletionRequest, info: ModelInfo | None = None) -> Hashable:
        """Return what else a suggestion depends on, the model included.

        Args:
            request: What asks for it.
            info: Whose suggestion it is; None for the model in use.
        """
        serving = self._serving if info is None else Serving(info.name, info.url)
        settings = request.settings
        return (
            None if serving == self._first else serving,
            request.snapshot.language_id,
            settings.endpoint,
            settings.completion.multiline,
            settings.completion.max_tokens,
            settings.privacy.redact_secrets,
        )

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a closed document."""
        self._anchors.forget(uri)

    def clear(self) -> None:
        """Drop what is remembered of all documents."""
        self._anchors = Anchors()

    def save(self) -> None:
        """Keep what has been learnt of the models' speeds."""
        self._speeds.save()

    def place(self, request: CompletionRequest) -> Place:
        """Return the place of a request in the text that a model sees."""
        context_tokens = self._info.context_tokens if self._info else 0
        return _seen(self._window(request, apply_selected(request), context_tokens))

    async def compose(
        self, request: CompletionRequest, trace: dict[str, Any], show_prompt: bool
    ) -> Question:
        """Make the prompt, and what its answer will be judged by."""
        started = self._clock()
        endpoint = await self._endpoints.acquire()
        info = await endpoint.describe()
        trace["endpoint"] = info.url
        trace["model"] = info.name
        trace["endpoint_ms"] = _ms(self._clock() - started)

        place = apply_selected(request)
        self._info = info
        self.served_by(info.name, info.url)
        self.speed = self._speeds.of(info)
        window = self._window(request, place, info.context_tokens)
        redacted = _redact(window, request)
        item = region.cut(place.text, place.point, request.snapshot.language_id)
        chosen = shape.decide(
            redacted.before,
            redacted.rest_of_line,
            request.settings.completion.multiline,
            below=redacted.below,
            region=item,
            just_accepted=request.just_accepted,
        )
        family = info.family
        block = self._block(request, family, window, info.context_tokens)
        prompt = build(
            family,
            redacted.before,
            redacted.suffix,
            block.text,
            request.layout,
            abilities=info.abilities,
            language_id=request.snapshot.language_id,
            one_line=chosen is shape.Shape.LINE,
        )
        resolution = info.resolution
        trace |= {
            "shape": chosen.value,
            "family": family.id,
            "family_from": resolution.source if resolution else "name",
            "family_problem": resolution.problem if resolution else "",
            "layout": prompt.layout,
            "window": {"first_line": window.first_line + 1, "last_line": window.last_line + 1},
            "prompt_chars": len(prompt.sent),
            "backed_up": prompt.backed_up,
            "context": [part._asdict() for part in block.parts],
        }
        if show_prompt:
            trace["prompt"] = prompt.sent

        above, _, line_before = redacted.before.rpartition("\n")
        around = postprocess.Surroundings(
            line_before=line_before,
            rest_of_line=window.rest_of_line,
            below=redacted.below,
            sentinels=family.sentinels,
            uses_tabs=_uses_tabs(redacted),
            above=above.rstrip().rpartition("\n")[2],
            mended=prompt.mended,
            indent_width=_indent_width(redacted),
            region=item,
        )
        language_id = request.snapshot.language_id
        return Question(
            endpoint, info, prompt, chosen, around, _seen(window), redacted, language_id
        )

    async def narrow(
        self,
        request: CompletionRequest,
        question: Question,
        limit_tokens: int,
        trace: dict[str, Any],
        show_prompt: bool,
    ) -> Question:
        """Make a shorter question of one that was too long for the model.

        Later questions to the model will not be longer than this one.

        Args:
            request: The frozen request.
            question: What was too long.
            limit_tokens: How many tokens the context holds; 0 when the server did not say.
            trace: Filled anew.
            show_prompt: Put the prompt itself into the trace.

        Raises:
            EndpointError: The server cannot be used.
        """
        self._speeds.of(question.info).narrow(
            len(question.prompt.sent),
            question.info.context_tokens,
            request.settings.completion.max_tokens,
            limit_tokens,
        )
        # The places that are remembered have texts after the cursor that are too long as well.
        self._anchors = Anchors()
        return await self.compose(request, trace, show_prompt)

    def _block(
        self, request: CompletionRequest, family: Family, window: Window, context_tokens: int
    ) -> ContextBlock:
        if self._context is None:
            return ContextBlock()
        answer_tokens = request.settings.completion.max_tokens
        characters = self.speed.context_characters(context_tokens, answer_tokens)
        room = self.speed.context_room(context_tokens, answer_tokens)
        return self._context.block(request, family, characters, room, window)

    async def count(self, question: Question) -> dict[str, int]:
        """Return how many tokens the model server counts, by part of the prompt.

        Raises:
            EndpointError: The server cannot be used.
        """
        window = question.window
        parts = {"before": window.before, "after": window.suffix, "prompt": question.prompt.sent}
        return {name: await question.endpoint.count_tokens(text) for name, text in parts.items()}

    def _window(self, request: CompletionRequest, place: "Cursor", context_tokens: int) -> Window:
        budget = self.speed.budget(context_tokens, request.settings.completion.max_tokens)
        return self._anchors.window(request.snapshot.uri, place.text, place.point, budget)


def _seen(window: Window) -> Place:
    """Return what of a window decides whether a suggestion still holds."""
    return Place(window.before, f"{window.rest_of_line}\n{window.below}")


class Cursor(NamedTuple):
    """The document and the cursor as the model is to see them."""

    text: Text
    point: Point


def apply_selected(request: CompletionRequest) -> Cursor:
    """Complete behind the selected item of the editor's list as if it had been accepted."""
    selected: Selected | None = request.selected
    text = request.snapshot.text
    if selected is None:
        return Cursor(text, request.point)
    start, stop = text.clamp(selected.start), text.clamp(selected.stop)
    replaced = text.replace(start, stop, selected.text)
    *above, last = selected.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    column = len(last) if above else start.column + len(last)
    # An item that ends in a carriage return makes one line end of the line feed behind it.
    return Cursor(replaced, replaced.clamp(Point(start.line + len(above), column)))


def _redact(window: Window, request: CompletionRequest) -> Window:
    if not request.settings.privacy.redact_secrets:
        return window
    from sirdab.policy.secrets import redact_around

    # Each side is judged with the other, which may hold what makes it a secret.
    before, suffix = redact_around(window.before, window.suffix)
    below = redact_around(f"{window.before}{window.rest_of_line}\n", window.below)[1]
    return window._replace(before=before, below=below, suffix=suffix)


def _indent_width(window: Window) -> int:
    return indentation_width((window.before + "\n" + window.below).split("\n"))


def _uses_tabs(window: Window) -> bool:
    lines = (window.before + "\n" + window.below).split("\n")
    return sum(line.startswith("\t") for line in lines) > sum(
        line.startswith("  ") for line in lines
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
