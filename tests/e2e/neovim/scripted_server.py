"""A small language server that answers from a script, to test the Neovim client alone.

Run as `python scripted_server.py SCRIPT LOG`. SCRIPT is a JSON file, read at every request:

    {"encoding": "utf-16", "rules": [{"after": "x = ", "texts": ["1 + 2"]}]}

A rule answers when the text before the cursor on its line ends in `after`, or in `after` and a
beginning of `texts[0]`; each of its texts is then an item without that beginning. Other keys of
a rule: `delay_ms`; `answer`, sent as it is; `replace`, the text after the cursor that the range
covers. Without a rule the answer is null. LOG gets every message that came, one JSON a line.

Other keys of the script: `commands`, offered beside those of every server; `answers`, the results
by the name of the command or method, where `{"error": …}` is an error; `sync`, 2 for incremental
changes; `noise`, a seed for suggestions, delays and answers that are random but the same for the
same text. A request `test/send` has the message in its params sent to the client.

It speaks the protocol by hand because pygls takes a third of a second to start, and because it
must be able to answer in ways that a good server would not.
"""

import hashlib
import json
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

_lock = threading.Lock()


def units(text: str, encoding: str) -> int:
    """Count the code units of a text in a position encoding."""
    if encoding == "utf-8":
        return len(text.encode())
    return len(text.encode("utf-16-le")) // 2 if encoding == "utf-16" else len(text)


def cut(line: str, count: int, encoding: str) -> int:
    """Return how many characters of a line make up that many code units."""
    if encoding == "utf-8":
        return len(line.encode()[:count].decode(errors="ignore"))
    if encoding == "utf-16":
        return len(line.encode("utf-16-le")[: 2 * count].decode("utf-16-le", errors="ignore"))
    return min(count, len(line))


class Server:
    """State of one session."""

    def __init__(self, script: Path, log: Path) -> None:
        self.script = script
        self.log = log
        self.documents: dict[str, str] = {}
        self.cancelled: set[Any] = set()
        self.enabled = True
        self.encoding = "utf-8"

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with _lock:
            sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            sys.stdout.buffer.flush()

    def status(self, state: str, message: str) -> None:
        params = {"state": state, "message": message, "model": "scripted", "endpoint": "http://x"}
        self.send({"method": "sirdab/status", "params": params})

    def handle(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(message) + "\n")
        params: dict[str, Any] = message.get("params") or {}
        ident = message.get("id")
        if method == "initialize":
            self.send({"id": ident, "result": self.initialize()})
        elif method == "initialized":
            self.status("ready", "Ready.")
            items = {"items": [{"section": "sirdab"}]}
            self.send({"id": "configuration", "method": "workspace/configuration", "params": items})
        elif method == "textDocument/didOpen":
            document = params["textDocument"]
            self.documents[document["uri"]] = document["text"]
        elif method == "textDocument/didChange":
            for change in params["contentChanges"]:
                self.change(params["textDocument"]["uri"], change)
        elif method == "textDocument/inlineCompletion":
            self.inline(ident, params)
        elif method == "$/cancelRequest":
            self.cancelled.add(params["id"])
        elif method == "workspace/executeCommand":
            self.execute(ident, params)
        elif method == "sirdab/explain":
            self.send({"id": ident, "result": {"reason": "because", "prompt": "one\ntwo"}})
        elif method == "test/status":
            self.status(params["state"], params["message"])
        elif method == "test/send":
            self.send(params)
            self.send({"id": ident, "result": None})
        elif method == "test/document":
            self.send({"id": ident, "result": self.documents[params["uri"]]})
        elif method in self.read_script()["answers"]:
            self.reply(ident, self.read_script()["answers"][method])
        elif method in ("shutdown", "exit") and self.read_script()["deaf"]:
            pass
        elif method == "exit":
            sys.stdout.flush()
            raise SystemExit(0)
        elif method is not None and ident is not None:
            self.send({"id": ident, "result": None})

    def change(self, uri: str, change: dict[str, Any]) -> None:
        span = change.get("range")
        if span is None:
            self.documents[uri] = change["text"]
            return
        lines = self.documents[uri].split("\n")
        offsets: list[int] = []
        for place in (span["start"], span["end"]):
            row = min(place["line"], len(lines))
            before = sum(len(line) + 1 for line in lines[:row])
            line = lines[row] if row < len(lines) else ""
            column = cut(line, place["character"], self.encoding)
            assert units(line[:column], self.encoding) == place["character"], change
            offsets.append(before + column)
        text = self.documents[uri]
        self.documents[uri] = text[: offsets[0]] + change["text"] + text[offsets[1] :]

    def reply(self, ident: object, answer: Any) -> None:
        if isinstance(answer, dict) and "error" in answer:
            self.send({"id": ident, "error": {"code": -32803, "message": answer["error"]}})
        else:
            self.send({"id": ident, "result": answer})

    def initialize(self) -> dict[str, Any]:
        self.encoding = self.read_script().get("encoding", "utf-8")
        return {
            "capabilities": {
                "positionEncoding": self.encoding,
                "textDocumentSync": {"openClose": True, "change": self.read_script()["sync"]},
                "inlineCompletionProvider": {},
                "executeCommandProvider": {
                    "commands": ["sirdab.accept", "sirdab.toggle", *self.read_script()["commands"]]
                },
            }
        }

    def execute(self, ident: object, params: dict[str, Any]) -> None:
        command, answers = params["command"], self.read_script()["answers"]
        if command in answers:
            self.reply(ident, answers[command])
            return
        if command == "sirdab.toggle":
            self.enabled = not self.enabled
            self.status("ready" if self.enabled else "disabled", "Switched.")
        self.send({"id": ident, "result": None})

    def read_script(self) -> dict[str, Any]:
        return json.loads(self.script.read_text(encoding="utf-8"))

    def inline(self, ident: object, params: dict[str, Any]) -> None:
        position = params["position"]
        lines = self.documents[params["textDocument"]["uri"]].split("\n")
        line = lines[position["line"]]
        column = cut(line, position["character"], self.encoding)
        before = "\n".join([*lines[: position["line"]], line[:column]])
        stubborn = self.read_script()["stubborn"]
        seed = self.read_script()["noise"]
        if seed is None:
            result, delay = self.answer(before, position, line[column:])
        else:
            result, delay, stubborn = self.noise(seed, before, position, line[column:])

        def reply() -> None:
            time.sleep(delay / 1000)
            if ident in self.cancelled and not stubborn:
                error = {"code": -32800, "message": "cancelled"}
                self.send({"id": ident, "error": error})
            else:
                self.send({"id": ident, "result": result})
            with self.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps({"answered": ident}) + "\n")

        threading.Thread(target=reply, daemon=True).start()

    def noise(
        self, seed: int, before: str, position: dict[str, int], following: str
    ) -> tuple[Any, int, bool]:
        """Return a suggestion, a delay and stubbornness that the text decides about."""
        digest = hashlib.sha256(f"{seed} {before} {following}".encode()).digest()
        dice = random.Random(digest)
        stubborn, delay = dice.random() < 0.3, dice.choice([0, 0, 5, 20, 60])
        kind = dice.random()
        if kind < 0.15:
            return None, delay, stubborn
        pieces = ["foo", "(a, b)", " = ", "é", "漢字", "😀", "e\u0301", "\t", "    ", ")", "x"]
        text = "".join(dice.choice(pieces) for _ in range(dice.randint(1, 4)))
        if kind < 0.5:
            text += "\n" + "".join(dice.choice([*pieces, "\n"]) for _ in range(dice.randint(1, 5)))
        replace = following[: dice.choice([0, 0, 0, 1, len(following)])]
        if replace and dice.random() < 0.5:
            text += replace
        end = {**position, "character": position["character"] + units(replace, self.encoding)}
        command = {"title": "", "command": "sirdab.accept", "arguments": [digest.hex(), "full"]}
        span = {"start": position, "end": end}
        item = {"insertText": text, "range": span, "command": command}
        return [item], delay, stubborn

    def answer(self, before: str, position: dict[str, int], following: str) -> tuple[Any, int]:
        if not self.enabled:
            return None, 0
        for rule in self.read_script()["rules"]:
            after, delay = rule["after"], rule.get("delay_ms", 0)
            if "answer" in rule:
                if before.endswith(after):
                    return rule["answer"], delay
                continue
            texts: list[str] = rule["texts"]
            for typed in (texts[0][:n] for n in range(len(texts[0]), -1, -1)):
                if before.endswith(after + typed) and typed != texts[0]:
                    replace = rule.get("replace", "")
                    assert following.startswith(replace)
                    end = dict(position)
                    end["character"] += units(replace, self.encoding)
                    rests = [t.removeprefix(typed) for t in texts if t.startswith(typed)]
                    return [
                        {
                            "insertText": rest,
                            "range": {"start": position, "end": end},
                            "command": {
                                "title": "accept",
                                "command": "sirdab.accept",
                                "arguments": [f"{after}#{index}", "full"],
                            },
                        }
                        for index, rest in enumerate(rests)
                    ], delay
        return None, 0


def main() -> None:
    server = Server(Path(sys.argv[1]), Path(sys.argv[2]))
    stdin = sys.stdin.buffer
    while header := stdin.readline():
        length = int(header.split(b":")[1])
        while stdin.readline().strip():
            pass
        server.handle(json.loads(stdin.read(length)))


if __name__ == "__main__":
    main()
