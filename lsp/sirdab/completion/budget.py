"""How much of the document the model gets to see, from how fast it reads.

Reading is what a CPU is slow at: 90 to 350 tokens a second for the small models that run there,
thousands on a GPU (measured on llama.cpp). The steps are few and far apart, and a speed has to pass
one clearly, so that the window does not move because a measurement wavered.
"""

from sirdab.completion.window import Budget
from sirdab.endpoint.base import Usage
from sirdab.models.speeds import Figures

# Characters that a token of source code stands for, low enough never to overflow a context, where
# the server has counted none yet.
CHARS_PER_TOKEN = 2.5
# What the server has counted is believed up to this share, for a document is not all of one kind.
_CERTAIN = 0.85
# A measurement over fewer tokens than this says more about fixed costs than about speed.
_LEAST_TOKENS = 64
_LEAST_WRITTEN = 8
_SMOOTHING = 0.3

_LEAN = Budget(before=2_000, after=600)
# (tokens per second from which it applies, budget)
_STEPS = (
    (3_000.0, Budget(before=16_000, after=5_000)),
    (800.0, Budget(before=6_000, after=2_000)),
)
# A step that has been taken is kept until the speed is less than this share of it.
_KEPT = 0.8
# So much is left of a prompt that was too long, however short it was.
_LEAST_CHARACTERS = 160
# Room in a small context changes in steps of this many characters a token.
_GRAIN = 0.25

# Characters of context from beyond the file: (tokens per second from which it applies, characters).
# Below the first step there is none: on a CPU, 600 characters are read in half a second or more
# each time they change, and the 0.5B model that runs there did not complete better with them
# (bench/results/context.md). The largest is about what Continue allows (1,024 tokens).
_CONTEXT_STEPS = ((3_000.0, 4_000), (800.0, 1_200))
_LEAN_CONTEXT = 0


class Speed:
    """How fast one model is on this machine, and how long its tokens are; all smoothed.

    Attributes:
        tokens_per_second: Prompt tokens read in a second; 0 while unknown.
        written_per_second: Tokens written in a second; 0 while unknown.
        characters_per_token: Characters of a prompt for each token that the server counted; 0
            while unknown.
    """

    def __init__(self, known: Figures = Figures()) -> None:  # noqa: B008 - a frozen value
        """Begin with what is known already."""
        self.tokens_per_second = known.read_per_second
        self.written_per_second = known.written_per_second
        self.characters_per_token = known.characters_per_token
        self._taken = 0.0
        self._grain = CHARS_PER_TOKEN
        # What a prompt may have after one was too long, and the context that it was too long for.
        self._most = 0
        self._most_in = 0

    def record(self, usage: Usage, characters: int = 0) -> None:
        """Take the figures of one request into account.

        Args:
            usage: What it cost; see `sirdab.completion.timing`.
            characters: Length of the prompt; 0 when it is not known.
        """
        if usage.evaluated_tokens >= _LEAST_TOKENS and usage.prompt_ms > 0:
            self.tokens_per_second = _smooth(
                self.tokens_per_second, usage.evaluated_tokens * 1000 / usage.prompt_ms
            )
        if usage.generated_tokens >= _LEAST_WRITTEN and usage.generated_ms > 0:
            self.written_per_second = _smooth(
                self.written_per_second, usage.generated_tokens * 1000 / usage.generated_ms
            )
        if characters and usage.prompt_tokens >= _LEAST_TOKENS:
            self.characters_per_token = _smooth(
                self.characters_per_token, characters / usage.prompt_tokens
            )

    def figures(self) -> Figures:
        """Return what is known now."""
        return Figures(self.tokens_per_second, self.written_per_second, self.characters_per_token)

    def budget(self, context_tokens: int, answer_tokens: int) -> Budget:
        """Return the budget for a server's context size.

        Args:
            context_tokens: Tokens that one request may hold; 0 when the server does not say.
            answer_tokens: Tokens kept free for the answer.
        """
        step = self._step()
        wanted = next((budget for least, budget in _STEPS if step >= least), _LEAN)
        room = self._room(context_tokens, answer_tokens)
        if room is None or wanted.before + wanted.after <= room:
            return wanted
        return Budget(before=room * 3 // 4, after=room // 4)

    def _step(self) -> float:
        """Return the tokens per second of the step that applies, 0 for the lowest."""
        reached = next((least for least, _ in _STEPS if self.tokens_per_second >= least), 0.0)
        if reached > self._taken or self.tokens_per_second < self._taken * _KEPT:
            self._taken = reached
        return self._taken

    def narrow(
        self, characters: int, context_tokens: int, answer_tokens: int, limit_tokens: int = 0
    ) -> None:
        """Take it that a prompt was too long, and remember what may be sent instead.

        Args:
            characters: Length of the prompt.
            context_tokens: What the server had said that a request may hold; when it says
                something else later, it is believed anew.
            answer_tokens: Tokens kept free for the answer.
            limit_tokens: What it says now; 0 when it does not.
        """
        most = _fitting(limit_tokens, answer_tokens, CHARS_PER_TOKEN) if limit_tokens else 0
        if not 0 < most < characters:
            most = characters // 2
        self._most, self._most_in = max(most, _LEAST_CHARACTERS), context_tokens

    def _room(self, context_tokens: int, answer_tokens: int) -> int | None:
        """Return how many characters fit beside the answer; None when that is not known."""
        most = self._most if self._most_in == context_tokens else 0
        if not context_tokens:
            return most or None
        known = self.characters_per_token * _CERTAIN
        if known and not self._grain <= known < self._grain + 2 * _GRAIN:
            self._grain = max(_GRAIN, known // _GRAIN * _GRAIN)
        room = _fitting(context_tokens, answer_tokens, self._grain)
        return min(room, most) if most else room

    def context_characters(self, context_tokens: int, answer_tokens: int) -> int:
        """Return how many characters of context from beyond the file a prompt may have.

        Args:
            context_tokens: See `budget`.
            answer_tokens: See `budget`.
        """
        step = self._step()
        wanted = next((most for least, most in _CONTEXT_STEPS if step >= least), _LEAN_CONTEXT)
        return min(wanted, self.context_room(context_tokens, answer_tokens))

    def context_room(self, context_tokens: int, answer_tokens: int) -> int:
        """Return how many characters the text around the cursor leaves free."""
        window = self.budget(context_tokens, answer_tokens)
        room = self._room(context_tokens, answer_tokens)
        if room is None:
            return window.before + window.after
        return max(0, room - window.before - window.after)


def _fitting(context_tokens: int, answer_tokens: int, characters_per_token: float) -> int:
    """Return how many characters of a prompt fit into a context beside the answer."""
    return int(max(context_tokens - answer_tokens - 32, 64) * characters_per_token)


def _smooth(old: float, new: float) -> float:
    return new if not old else old + _SMOOTHING * (new - old)
