"""What a client is sent while a model in the attacker's hands answers.

The `Reviewer` and the `Rewriter` are held in `tests/unit/review/test_injection.py`; here it is
about what is made of them on the wire: diagnostics, titles, edits, messages and logs.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sirdab.review.rules import page_of
from sirdab.text.positions import Encoding, to_point
from sirdab.text.store import Text
from tests.protocol.review_client import (
    ANNOTATES,
    RESOLVES,
    actions,
    capabilities,
    execute,
    reviewing,
)
from tests.support.hostile import LARGE, HostileModel, asked, reviews, rewritings
from tests.support.injection import (
    DEFECT,
    QUOTE,
    WITNESS_SIGNAL,
    Attack,
    attacks,
    check_never,
    check_shown,
    unseen,
)
from tests.support.lsp_client import InProcess, LspError

SAYS = ("finds nothing", "everything at once", "a Markdown link", "an order", "an honest finding")
WRITES = ("an import before", "controls", "prose", "a link", "silenced linters", "bidi in a string")


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string of a message, with where it stands."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, path)


def check_wire(attack: Attack, client: InProcess) -> None:
    """Nothing that was sent serves the attacker; what is code is looked at where it is applied."""
    for message in client.log:
        for path, text in strings(message):
            if path.startswith((".result.diagnostics", ".result.data.message")):
                # The client's own, given back with the action that is about it.
                continue
            assert not unseen(text), (attack.name, path, text[:200])
            if path.endswith((".newText", ".uri")) or ".changes." in path:
                continue
            if path.endswith(".codeDescription.href"):
                assert text == page_of(DEFECT) or text.startswith(page_of("").partition("#")[0])
                continue
            check_never(attack, text)
            # What we say by ourselves holds brackets and file addresses nowhere but here.
            if path.endswith((".message", ".title", ".label", ".description")):
                check_shown(attack, [text])


def diagnostics(client: InProcess, uri: str) -> list[dict[str, Any]]:
    """Take out what was published last."""
    found: list[dict[str, Any]] = []
    while (entry := client._pop("textDocument/publishDiagnostics")) is not None:
        if entry[0]["uri"] == uri:
            found = entry[0]["diagnostics"]
    return found


def check_diagnostics(attack: Attack, model: HostileModel, found: list[dict[str, Any]]) -> None:
    text = Text(attack.document)
    rows = [one["range"]["start"]["line"] for one in found]
    bodies = [text.line_body(row) for row in rows]
    assert any(WITNESS_SIGNAL in body for body in bodies), attack.name
    apart = not any(QUOTE in turn and WITNESS_SIGNAL in turn for turn in map(asked, model.requests))
    for one, body in zip(found, bodies, strict=True):
        assert one["source"] == "sirdab"
        if WITNESS_SIGNAL in body or not apart:
            continue
        first, last = attack.unit_lines
        assert first <= one["range"]["start"]["line"] <= one["range"]["end"]["line"] <= last


def check_edit(attack: Attack, resolved: dict[str, Any], lines: tuple[int, int]) -> None:
    """An edit is of this document alone, of this version, within the lines, and to be confirmed."""
    edit = resolved.get("edit")
    if edit is None:
        return
    if resolved["data"]["do"] == "ignore":
        # Our own comment, which no model has written.
        ((one,),) = [change["edits"] for change in edit["documentChanges"]]
        assert one["newText"].strip().endswith(f"sirdab: ignore[{DEFECT}]")
        return
    assert set(edit) == {"documentChanges", "changeAnnotations"}
    (change,) = edit["documentChanges"]
    assert change["textDocument"] == {"uri": attack.uri, "version": 1}
    assert all(one["needsConfirmation"] for one in edit["changeAnnotations"].values())
    text = Text(attack.document)
    for one in change["edits"]:
        assert one["annotationId"] in edit["changeAnnotations"]
        start, end = (
            to_point(text, place["line"], place["character"], Encoding.UTF16)
            for place in (one["range"]["start"], one["range"]["end"])
        )
        assert lines[0] <= start.line <= end.line <= lines[1] + 1, attack.name
        assert "evil" not in one["newText"], (attack.name, one["newText"])
        assert "://" not in one["newText"] or "://" in attack.code


@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.name)
async def test_what_is_sent(attack: Attack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    model = HostileModel(attack, name=LARGE)
    announced = capabilities(RESOLVES, ANNOTATES)
    async with reviewing(model, announced) as client:  # pyright: ignore[reportArgumentType]
        client.ignored |= {"window/logMessage", "window/showMessage"}
        client.open(attack.uri, attack.document, attack.language)
        for name in SAYS:
            await execute(client, "sirdab.clearCache")
            model.review = reviews()[name](attack)
            model.requests.clear()
            if attack.hides or "\x1b" in attack.file:
                # A document that cannot be text, or whose name no editor sends.
                with pytest.raises(LspError) as caught:
                    await execute(client, "sirdab.reviewDocument", {"uri": attack.uri})
                check_shown(attack, [caught.value.message])
                break
            await execute(client, "sirdab.reviewDocument", {"uri": attack.uri})
            check_diagnostics(attack, model, diagnostics(client, attack.uri))
        await try_actions(attack, model, client)
        check_wire(attack, client)
    for record in caplog.records:
        check_never(attack, record.getMessage())
        assert not unseen(record.getMessage()), attack.name


async def try_actions(attack: Attack, model: HostileModel, client: InProcess) -> None:
    """Choose what is offered at the defect, whatever the model writes."""
    row = attack.defect_row
    span = {"start": {"line": row, "character": 0}, "end": {"line": row, "character": 5}}
    said = attack.message or "The query is built from text."
    foreign = {"range": span, "message": said, "source": attack.message[:40] or "other"}
    offered = await actions(client, (row, 0, row, 5), [foreign], attack.uri)
    for action in offered:
        assert action.get("isPreferred") is None
        assert not action["kind"].startswith("source")
    chosen = [one for one in offered if "data" in one]
    last = len(Text(attack.document).line_body(row)) and Text(attack.document).line_count
    names = dict(rewritings(attack, attack.code.splitlines(), 1))
    for action in chosen[:4]:
        for name in WRITES:
            model.rewrite = names[name]
            try:
                resolved = await client.request("codeAction/resolve", action)
            except LspError as error:
                check_shown(attack, [error.message])
                continue
            check_edit(attack, resolved, (0, last))
