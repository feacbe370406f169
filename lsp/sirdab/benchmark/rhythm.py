"""When the next key comes: the rhythm of somebody who writes code.

The distribution between two keys is log-normal, as typing studies find it. The figures are those
of a practised typist: Dhakal et al., "Observations on Typing from 136 Million Keystrokes" (CHI
2018), measured a mean of 239 ms between keys over 168,000 people and of about 120 ms in the
fastest group; who writes code for a living is between the two. Words begin slower than they go on,
signs need the shift key, and lines begin with a thought: those are ours, chosen so that with all
pauses a key comes about every 210 ms, which are some 57 words a minute.
"""

import random
from dataclasses import dataclass
from math import log


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The times of one person; medians in milliseconds.

    Attributes:
        in_word: Between the letters of a word.
        at_word: Before the first letter of a word.
        at_sign: Before brackets, quotes and operators.
        at_line: Before the first key of a line.
        spread: Standard deviation of the logarithm.
        thought: Of a pause for thinking.
        thought_spread: Standard deviation of its logarithm.
        thinks_at_line: Share of lines that begin with such a pause.
        thinks_at_word: Share of words that do.
        slip: Share of letters that are mistyped and corrected.
        longest: No pause is longer.
    """

    in_word: float = 135.0
    at_word: float = 190.0
    at_sign: float = 220.0
    at_line: float = 380.0
    spread: float = 0.4
    thought: float = 1_600.0
    thought_spread: float = 0.5
    thinks_at_line: float = 0.3
    thinks_at_word: float = 0.03
    slip: float = 0.02
    longest: float = 5_000.0

    def pause_ms(self, chance: random.Random, before: str, key: str) -> float:
        """Return the time before a key.

        Args:
            chance: Decides.
            before: The character before the cursor.
            key: The character to be typed.
        """
        if before in ("", "\n"):
            median, thinks = self.at_line, self.thinks_at_line
        elif _is_letter(key) and not _is_letter(before):
            median, thinks = self.at_word, self.thinks_at_word
        elif _is_letter(key) or key == " ":
            median, thinks = self.in_word, 0.0
        else:
            median, thinks = self.at_sign, 0.0
        if chance.random() < thinks:
            return self.thought_ms(chance)
        return min(chance.lognormvariate(log(median), self.spread), self.longest)

    def thought_ms(self, chance: random.Random) -> float:
        """Return a pause for thinking, such as behind a jump to another place."""
        return min(chance.lognormvariate(log(self.thought), self.thought_spread), self.longest)


def _is_letter(char: str) -> bool:
    return char.isalnum() or char == "_"
