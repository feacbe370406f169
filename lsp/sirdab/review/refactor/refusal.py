"""Why a rewriting is not carried out."""


class RefusalError(Exception):
    """A rewriting that must not be applied.

    Attributes:
        message: One sentence for a person.
        hint: What the model is told when it may try again; "" where another try is of no use,
            because the reason is not in what it wrote.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Say why.

        Args:
            message: One sentence for a person.
            hint: What the model is told.
        """
        super().__init__(message)
        self.message = message
        self.hint = hint
