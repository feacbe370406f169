"""What can be wrong with a model file."""


class ModelError(Exception):
    """A model cannot be used or had.

    Attributes:
        message: One plain sentence that says what happened and what to do next.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ModelMissingError(ModelError):
    """The model is not on this machine."""
