"""What a client has been told of a document."""

from dataclasses import dataclass

from sirdab.server.review.diagnostics import NOTHING, Diagnostics


@dataclass(slots=True)
class Told:
    """What the client has been told of a document.

    Attributes:
        uri: As it was spelt.
        pushed: The diagnostics that were pushed last.
        version: The version that they were pushed with.
        present: Names what is shown now; for a document that is pulled.
        given: Names what the client was given last when it pulled.
    """

    uri: str
    pushed: Diagnostics = ()
    version: int | None = None
    present: str = NOTHING
    given: str = NOTHING
