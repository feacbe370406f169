"""The keeper of blocks: what gets in, what never does, and when a block changes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sirdab.completion.context import ContextBlock
from sirdab.completion.engine import Engine
from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.completion.window import Window
from sirdab.config.schema import PrivacySettings, Settings
from sirdab.context import index as indexing
from sirdab.context.keeper import IDLE_SECONDS, SAME_PLACE_LINES, Keeper
from sirdab.models.catalog import family_of
from sirdab.text.document import Change, Range, Snapshot
from sirdab.text.store import Point, Text
from tests.support.completion import QWEN, ScriptedEndpoint, place

FAMILY = replace(family_of(QWEN), context_style="comments")
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(
    [
        *["MIIEpAIBAAKCAQEA7bq3k4Yx9Zt5Wm2Rj8Nf6Lh1Vc0Xs4Ud7Gp3Qa9Be5Ty2Io8"] * 5,
        "-----END RSA PRIVATE KEY-----",
    ]
)
ORDER = "class Order:\n    '''An order.'''\n\n    def settle(self, amount): ...\n"
OWN = "from order import Order\n\n\ndef work():\n    $0Order()\n"


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A workspace, a keeper and the documents that are open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.keeper = Keeper(folder.parent / "index", characters=2_000, clock=self.clock)
        self.settings = Settings()
        self.open: list[Snapshot] = []
        self.trusted = True

    def write(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def snapshot(self, name: str, content: str, language: str = "python") -> Snapshot:
        return Snapshot((self.folder / name).as_uri(), language, 1, Text(content))

    def opened(self, name: str, content: str, language: str = "python") -> Snapshot:
        self.open.append(self.snapshot(name, content, language))
        return self.open[-1]

    def request(self, marked: str = OWN, name: str = "own.py") -> CompletionRequest:
        text, point = place(marked)
        return CompletionRequest(
            Snapshot((self.folder / name).as_uri(), "python", 1, text),
            point,
            Trigger.AUTOMATIC,
            self.settings,
            workspace_folders=(str(self.folder),),
            trusted=self.trusted,
            open_documents=tuple(self.open),
        )

    def block(self, request: CompletionRequest, characters: int = 2_000) -> ContextBlock:
        self.keeper.characters = characters
        around = Window("", "", "", max(0, request.point.line - 5), request.point.line + 5)
        return self.keeper.block(request, FAMILY, 0, 10_000, around)

    async def renewed(self, request: CompletionRequest | None = None) -> str:
        """Return the text of the block when the index is complete."""
        request = request or self.request()
        await self.keeper.renew(request)
        assert await asyncio.to_thread(self.keeper.indexed, 60)
        await self.keeper.renew(request)
        return self.block(request).text

    def type(self, request: CompletionRequest, text: str = "x") -> CompletionRequest:
        """Type at the cursor, as an editor tells of it."""
        line, column = request.point
        change = Change(Range(line, column, line, column), text)
        self.keeper.typed(request.snapshot.uri, [change])
        content = request.snapshot.text.replace(request.point, request.point, text)
        return replace(
            request,
            snapshot=replace(request.snapshot, text=content),
            point=Point(line, column + len(text)),
        )


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(indexing, "_SETTLE_SECONDS", 0.01)
    folder = tmp_path / "work"
    folder.mkdir()
    found = Bench(folder)
    yield found
    await found.keeper.close()


# --- what gets in ----------------------------------------------------------------------------


async def test_a_definition_from_the_index(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    text = await bench.renewed()
    assert "class Order:" in text
    assert "def settle(self, amount):" in text
    (part,) = bench.block(bench.request()).parts
    assert part[:4] == ("definition", "order.py", 1, 1)


async def test_an_open_document_is_newer_than_its_file(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    bench.opened("order.py", ORDER.replace("settle", "changed"))
    text = await bench.renewed()
    assert "changed" in text
    assert "settle" not in text


async def test_without_a_workspace_there_are_the_open_documents(bench: Bench) -> None:
    bench.opened("order.py", ORDER)
    request = replace(bench.request(), workspace_folders=())
    assert await bench.keeper.renew(request)
    assert "class Order:" in bench.block(request).text
    assert not bench.keeper.is_indexing


async def test_a_workspace_that_is_not_trusted_is_not_read(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    bench.trusted = False
    assert await bench.renewed() == ""
    assert not bench.keeper.is_indexing


SIMILAR = "invoice.total(customer)\ninvoice.pay(customer, amount)\nshipment.send(invoice)\n"


async def test_code_that_is_alike(bench: Bench) -> None:
    bench.opened("b.py", SIMILAR)
    text = await bench.renewed(bench.request("invoice, customer, amount, shipment, total\n$0"))
    assert "# shipment.send(invoice)" in text


async def test_of_the_document_itself_only_what_is_far_away(bench: Bench) -> None:
    filler = "filler = filler\n" * 200
    near = "invoice, customer, amount, shipment, total\n$0"
    far = await bench.renewed(bench.request(SIMILAR + filler + near))
    assert "shipment.send(invoice)" in far
    assert "shipment, total" not in far
    close = await bench.renewed(bench.request(SIMILAR + near, "other.py"))
    assert close == ""


async def test_a_closed_document_is_shown_for_a_while(bench: Bench) -> None:
    bench.keeper.closed(bench.snapshot("order.py", ORDER))
    assert "class Order:" in await bench.renewed()
    for number in range(8):
        bench.keeper.closed(bench.snapshot(f"{number}.py", ""))
    assert await bench.renewed(bench.request(name="other.py")) == ""


async def test_recent_edits(bench: Bench) -> None:
    other = bench.opened("b.py", "".join(f"first_{number} = 1\n" for number in range(50)))
    bench.keeper.typed(other.uri, [Change(Range(20, 0, 20, 0), "x")])
    bench.clock.now += IDLE_SECONDS + 1
    text = await bench.renewed(bench.request("a = 1\n$0"))
    assert "# first_20 = 1" in text
    assert "# first_17 = 1" in text
    assert "first_16" not in text
    (part,) = bench.block(bench.request("a = 1\n$0")).parts
    assert part[:4] == ("edit", "b.py", 18, 24)


# --- what never does -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["index", "open", "closed"])
@pytest.mark.parametrize(
    ("name", "ignore", "exclude"),
    [
        ("order.py", {".gitignore": "order.py\n"}, ()),
        ("sub/order.py", {"sub/.aiignore": "*\n"}, ()),
        ("order.py", {}, ("order.*",)),
        ("secrets/order.py", {}, ()),
    ],
)
async def test_nothing_of_excluded_files(
    bench: Bench, kind: str, name: str, ignore: dict[str, str], exclude: tuple[str, ...]
) -> None:
    bench.write(name, ORDER)
    for file, content in ignore.items():
        bench.write(file, content)
    if kind == "open":
        snapshot = bench.opened(name, ORDER)
        bench.keeper.typed(snapshot.uri, [Change(Range(1, 0, 1, 0), "x")])
        bench.clock.now += IDLE_SECONDS + 1
    elif kind == "closed":
        bench.keeper.closed(bench.snapshot(name, ORDER))
    bench.settings = replace(bench.settings, privacy=PrivacySettings(exclude=exclude))
    assert await bench.renewed() == ""


async def test_a_file_excluded_later_leaves_the_block(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    assert "Order" in await bench.renewed()
    bench.settings = replace(bench.settings, privacy=PrivacySettings(exclude=("order.py",)))
    assert bench.block(bench.request()).text == ""
    assert await bench.renewed() == ""
    bench.settings = Settings()
    assert "Order" in await bench.renewed()
    bench.keeper.file_changed(str(bench.write(".gitignore", "order.py\n")))
    assert bench.block(bench.request()).text == ""
    assert await bench.renewed() == ""


@pytest.mark.parametrize("redact", [True, False])
async def test_no_secret_gets_in(bench: Bench, redact: bool) -> None:
    secret = (
        f'class Order:\n    """See {TOKEN}."""\n\n    token: str = "{TOKEN}"\n\n'
        f'    def settle(self, amount="{TOKEN}"): ...\n\nKEY = """\n{KEY}\n"""\n'
    )
    bench.settings = replace(bench.settings, privacy=PrivacySettings(redact_secrets=redact))
    bench.write("order.py", secret)
    other = bench.opened("near.py", secret + SIMILAR)
    last = other.text.line_count - 1
    for line in (3, 10, last):
        bench.keeper.typed(other.uri, [Change(Range(line, 0, line, 0), "")])
    bench.clock.now += IDLE_SECONDS + 1
    marked = OWN.replace("$0", "KEY, invoice, customer, amount, shipment, total\n    $0")
    text = await bench.renewed(bench.request(marked))
    assert "Order" in text
    assert "shipment" in text
    assert TOKEN not in text
    assert "MIIEpAIBAAKCAQEA" not in text
    assert "REDACTED" in text


@pytest.mark.parametrize("content", ["\0" + ORDER, "x" * 5_000_000, "", "\ud800", "\r\r\n\r"])
async def test_odd_documents(bench: Bench, content: str) -> None:
    bench.opened("order.py", content)
    await bench.renewed()
    await bench.renewed(bench.request(content.replace("$0", "") + "\n$0", "odd.py"))


async def test_a_language_that_is_not_known(bench: Bench) -> None:
    request = bench.request()
    request = replace(request, snapshot=replace(request.snapshot, language_id="brainfuck"))
    assert not await bench.keeper.renew(request)
    assert bench.block(request).text == ""


# --- when it changes -------------------------------------------------------------------------


async def test_it_stays_while_somebody_types(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    bench.write("money.py", "def rounded(amount): ...\n")
    before = await bench.renewed()
    request = bench.request()
    for character in "rounded(1) and more":
        request = bench.type(request, character)
        bench.clock.now += IDLE_SECONDS - 0.5
        assert not await bench.keeper.renew(request)
        assert bench.block(request).text == before


async def test_it_is_renewed_when_somebody_has_stopped(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    bench.write("money.py", "def rounded(amount): ...\n")
    before = await bench.renewed()
    request = bench.request(
        OWN.replace("$0", "rounded()\n    $0").replace(
            "\n", "\nimport money\nfrom money import rounded\n", 1
        )
    )
    bench.keeper.typed(request.snapshot.uri, [Change(Range(1, 0, 1, 0), "x")])
    assert not await bench.keeper.renew(request)
    bench.clock.now += IDLE_SECONDS + 0.1
    assert bench.keeper.idle_in() == 0
    assert await bench.keeper.renew(request)
    after = bench.block(request).text
    assert "def rounded(amount):" in after
    assert "def rounded(amount):" not in before


async def test_in_the_same_place_only_a_new_definition_is_worth_it(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    before = await bench.renewed()
    request = bench.request()
    other = bench.opened("b.py", SIMILAR)
    bench.keeper.typed(other.uri, [Change(Range(0, 0, 0, 0), "x")])
    bench.clock.now += IDLE_SECONDS + 1
    same = replace(request, open_documents=(other,))
    assert not await bench.keeper.renew(same)
    assert bench.block(same).text == before
    moved = bench.request(OWN.replace("$0", "\n" * (SAME_PLACE_LINES + 2) + "$0"))
    assert await bench.keeper.renew(moved)
    assert "shipment" in bench.block(moved).text


async def test_what_is_found_for_a_text_that_changed_meanwhile_is_dropped(bench: Bench) -> None:
    bench.opened("order.py", ORDER)
    request = bench.request()
    renewing = asyncio.ensure_future(bench.keeper.renew(request))
    await asyncio.sleep(0)
    bench.type(request)
    assert not await renewing
    assert bench.block(request).text == ""


async def test_identical_inputs_give_identical_bytes(bench: Bench, tmp_path: Path) -> None:
    for number in range(6):
        bench.write(f"m{number}.py", f"def name_{number}(): ...\n")
        bench.opened(f"s{number}.py", SIMILAR)
    names = ", ".join(f"name_{number}" for number in range(6))
    request = bench.request(f"from m0 import {names}\ninvoice, customer, amount, total\n$0")
    first = await bench.renewed(request)
    other = Keeper(tmp_path / "index", characters=2_000, clock=bench.clock)
    try:
        await other.renew(request)
        await asyncio.to_thread(other.indexed, 60)
        await other.renew(request)
        window = Window("", "", "", 0, 5)
        second = other.block(request, FAMILY, 0, 10_000, window).text
    finally:
        await other.close()
    assert first.count("name_") == 6
    assert first == second


async def test_the_budget_is_the_engines(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    await bench.renewed()
    request = bench.request()
    bench.keeper.characters = None
    window = Window("", "", "", 0, 5)
    whole = bench.keeper.block(request, FAMILY, 2_000, 2_000, window)
    assert whole.text
    assert bench.keeper.block(request, FAMILY, 0, 2_000, window) == ContextBlock()
    assert not bench.keeper.wanted
    assert not await bench.keeper.renew(request)
    small = bench.keeper.block(request, FAMILY, 60, 2_000, window)
    assert len(small.text) <= 60


async def test_more_room_leaves_it_as_it_is_until_it_is_renewed(bench: Bench) -> None:
    bench.opened("order.py", ORDER)
    bench.opened("b.py", "def far_away(): ...\n" * 40)
    request = bench.request(OWN.replace("import Order", "import Order, far_away"))
    bench.keeper.characters = None
    window = Window("", "", "", 0, 5)
    bench.keeper.block(request, FAMILY, 130, 2_000, window)
    assert await bench.keeper.renew(request)
    small = bench.keeper.block(request, FAMILY, 130, 2_000, window)
    assert 0 < len(small.text) <= 130
    assert bench.keeper.block(request, FAMILY, 2_000, 2_000, window) == small
    assert bench.keeper.block(request, FAMILY, 60, 2_000, window) != small


async def test_a_closed_keeper_does_nothing(bench: Bench) -> None:
    await bench.keeper.close()
    assert not await bench.keeper.renew(bench.request())
    bench.keeper.typed("file:///a.py", [Change(None, "")])
    bench.keeper.file_changed("/a.py")


async def test_the_engine_puts_it_first_and_says_so(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    await bench.renewed()
    endpoint = ScriptedEndpoint("total()")
    engine = Engine(endpoint, context=bench.keeper)
    request = bench.request()
    request = replace(request, trigger=Trigger.INVOKED)
    outcome = await engine.complete(request, show_prompt=True)
    prompt = outcome.trace["prompt"]
    assert prompt.index("class Order:") < prompt.index("def work")
    assert [part["kind"] for part in outcome.trace["context"]] == ["definition"]
    assert outcome.trace["context"][0]["path"] == "order.py"
    typed = bench.type(request, "total")
    again = await engine.complete(typed, show_prompt=True, fresh=True)
    assert again.trace["prompt"].startswith(prompt.removesuffix("    ").rstrip(" "))
