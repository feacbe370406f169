"""How much of the document the model gets to see, from how fast it reads.

Reading is what a CPU is slow at: 90 to 350 tokens a second for the small models that run there,
thousands on a GPU (facts measured on llama.cpp). The steps are few and far apart so that
the window does not move because a measurement wavered.
"""

from sirdab.completion.window import Budget
from sirdab.endpoint.base import Usage

# Characters a token of source code stands for, low enough never to overflow a context.
CHARS_PER_TOKEN = 2.5
# A measurement over fewer tokens than this says more about fixed costs than about speed.
_LEAST_TOKENS = 64
_SMOOTHING = 0.3

_LEAN = Budget(before=2_000, after=600)
# (tokens per second from which it applies, budget)
_STEPS = (
    (3_000.0, Budget(before=16_000, after=5_000)),
    (800.0, Budget(before=6_000, after=2_000)),
)


class Speed:
    """The prompt speed of one model server, smoothed."""

    def __init__(self) -> None:
        self.tokens_per_second = 0.0
        self._budget = _LEAN

    def record(self, usage: Usage) -> None:
        """Take the server's own timing of one request into account."""
        if usage.evaluated_tokens < _LEAST_TOKENS or usage.prompt_ms <= 0:
            return
        speed = usage.evaluated_tokens * 1000 / usage.prompt_ms
        old = self.tokens_per_second
        self.tokens_per_second = speed if not old else old + _SMOOTHING * (speed - old)

    def budget(self, context_tokens: int, answer_tokens: int) -> Budget:
        """Return the budget for a server's context size.

        Args:
            context_tokens: Tokens that one request may hold; 0 when the server does not say.
            answer_tokens: Tokens kept free for the answer.
        """
        wanted = next(
            (budget for least, budget in _STEPS if self.tokens_per_second >= least), _LEAN
        )
        if not context_tokens:
            return wanted
        room = int(max(context_tokens - answer_tokens - 32, 64) * CHARS_PER_TOKEN)
        if wanted.before + wanted.after <= room:
            return wanted
        return Budget(before=room * 3 // 4, after=room // 4)
