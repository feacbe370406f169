"""A server that has nothing but what a test gives it: somebody's page, or what imitates a model."""

from tests.support.doubles.http import Double, Fault, Reply, Request


class PlainDouble(Double):
    """The server. Every attribute may be changed while it runs.

    Attributes:
        replies: Answers by path.
        otherwise: The answer for all other paths.
    """

    profile_id = ""

    def __init__(self, replies: dict[str, Reply] | None = None) -> None:
        super().__init__()
        self.replies = replies or {}
        self.otherwise = Reply("404 Not Found", "text/html", b"<html>")

    def answer(self, request: Request) -> Reply:
        return self.replies.get(request.path, self.otherwise)

    def refusal(self, fault: Fault) -> Reply:
        raise NotImplementedError(fault)
