"""Reckons how many tokens a text has for a server that does not count them."""

# Code has about 3.5 characters to a token in the vocabularies of today, and prose some more. Too
# few characters make a prompt shorter than it could be; too many make it overflow.
_FIRST_GUESS = 3.0
_LEAST, _MOST = 1.0, 6.0
# A short prompt says little, because of the tokens that a server adds to it.
_LEAST_CHARACTERS = 200
_WEIGHT = 0.2


class Reckoner:
    """Learns how many characters a token has from prompts whose tokens were told."""

    def __init__(self) -> None:
        self.characters_per_token = _FIRST_GUESS

    def learn(self, text: str, tokens: int) -> None:
        """Take note of what a server said.

        Args:
            text: A prompt.
            tokens: How many tokens it had; 0 when that is not known.
        """
        if tokens <= 0 or len(text) < _LEAST_CHARACTERS:
            return
        seen = min(max(len(text) / tokens, _LEAST), _MOST)
        self.characters_per_token += _WEIGHT * (seen - self.characters_per_token)

    def tokens(self, text: str) -> int:
        """Return how many tokens a text is likely to have, rounded up."""
        return -int(-len(text) // self.characters_per_token)
