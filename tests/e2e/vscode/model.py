"""A scripted model server that runs beside the browser's driver."""

from collections.abc import Sequence
from typing import Any

from tests.e2e.vscode.background import Background
from tests.support.fake_llamacpp import FakeLlamaCpp, Recorded


class ScriptedModel:
    """The scripted model server, for tests that are not asynchronous.

    Attributes:
        fake: The server itself; its attributes may be changed while it runs.
    """

    def __init__(self, background: Background) -> None:
        """Start the server on a free port, which it keeps when it is started again."""
        self._background = background
        self.fake = FakeLlamaCpp(model_path="qwen2.5-coder-0.5b")
        self._port = 0
        self.start()
        self._port = self.fake.port

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self._port}"

    def says(self, *pieces: str) -> None:
        """Answer every request with these pieces of text."""
        self.fake.answer = pieces

    def writes(self, text: str) -> None:
        """Want to write this text: answer with what is still missing of it at the cursor."""

        def rest(body: dict[str, Any]) -> Sequence[str]:
            prompt = str(body.get("prompt", ""))
            there = next(n for n in range(len(text), -1, -1) if prompt.endswith(text[:n]))
            return [text[there:]]

        self.fake.answer = rest

    def varies(self, *texts: str) -> None:
        """Answer with the first text, and with the others when other answers are wanted."""

        def answer(body: dict[str, Any]) -> Sequence[str]:
            return [texts[int(body.get("seed") or 0) % len(texts)]]

        self.fake.answer = answer

    def completions(self) -> list[Recorded]:
        """Return the requests for text so far, warm-ups left out."""
        return [one for one in self.fake.asked("/completion") if one.body.get("n_predict") != 0]

    def start(self) -> None:
        """Listen."""
        self._background.run(self.fake.start(self._port))

    def stop(self) -> None:
        """Stop listening and drop every connection, as a server that is killed."""
        self._background.run(self.fake.stop())
