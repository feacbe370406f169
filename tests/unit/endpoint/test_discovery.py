"""Which model servers of this machine are found, and whom we believe."""

import asyncio
import sys
from collections.abc import Collection
from ipaddress import ip_address

import pytest

from sirdab.endpoint.discovery import FIRST_PORTS, PORTS_ENV, Discovery, ports
from sirdab.endpoint.listeners import Listener, Row, believed, judge, parse_table
from tests.support.doubles.http import Reply, Request
from tests.support.doubles.ollama import OllamaDouble
from tests.support.doubles.plain import PlainDouble
from tests.support.doubles.vllm import VllmDouble
from tests.support.fake_llamacpp import FakeLlamaCpp

ME = 1000
SOMEBODY_ELSE = 1001
NOBODY = 65534


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({PORTS_ENV: ""}, ()),
        ({PORTS_ENV: "8080"}, (8080,)),
        ({PORTS_ENV: " 8080, 11434,8080 "}, (8080, 11434)),
        ({PORTS_ENV: "x,0,-1,70000,+80,８０"}, ()),
        ({PORTS_ENV: "8080", "OLLAMA_HOST": "127.0.0.1:9999"}, (8080,)),
    ],
)
def test_named_ports(environment: dict[str, str], expected: tuple[int, ...]):
    assert ports(environment) == expected


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("127.0.0.1:9999", 9999),
        ("localhost:9999", 9999),
        (":9999", 9999),
        ("0.0.0.0:9999", 9999),
        ("[::1]:9999", 9999),
        ("[::]:9999", 9999),
        ("http://127.0.0.1:9999", 9999),
        ("http://localhost:9999/", 9999),
        ('"127.0.0.1:9999"', 9999),
        ("http://127.0.0.1", 80),
        # Of another machine, or not to be understood.
        ("192.0.2.1:9999", 0),
        ("example.org:9999", 0),
        ("https://127.0.0.1:9999", 0),
        ("127.0.0.1.example.org:9999", 0),
        ("127.0.0.1:x", 0),
    ],
)
def test_where_ollama_is_said_to_be(host: str, port: int):
    found = ports({"OLLAMA_HOST": host})
    assert set(FIRST_PORTS) <= set(found)
    assert found[: len(FIRST_PORTS)] == FIRST_PORTS
    assert set(found) - set(ports({})) == ({port} if port else set())


def test_without_a_word_of_the_user_the_usual_ports_are_looked_at():
    assert {8012, 8080, 11434, 1234, 8000, 30000, 3000, 1337, 5000, 5001, 4891} <= set(ports({}))


# Who listens.

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998        0 1061 1 0
   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1062 1 0
   2: 0100007F:1F90 0100007F:B196 01 00000000:00000000 00:00000000 00000000  1000        0 1063 1 0
   3: garbage
   4: 0100007F:ZZZZ 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1064 1 0
"""
_REST = f"{0:032X}:0000 0A 00000000:00000000 00:00000000 00000000  1000        0"
TABLE_6 = f"""\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:04D2 {_REST} 7 1 0
   1: 0000000000000000FFFF00000100007F:04D3 {_REST} 8 1 0
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the tables are of such a machine")
def test_the_tables_of_linux():
    assert list(parse_table(TABLE)) == [
        Row(ip_address("127.0.0.1"), 11434, 998, 1061),
        Row(ip_address("0.0.0.0"), 8080, 1000, 1062),
    ]
    assert list(parse_table(TABLE_6)) == [
        Row(ip_address("::1"), 1234, 1000, 7),
        Row(ip_address("::ffff:127.0.0.1"), 1235, 1000, 8),
    ]
    assert list(parse_table("")) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("127.0.0.1", ME)], "127.0.0.1"),
        ([("127.0.0.1", 0)], "127.0.0.1"),
        ([("127.0.0.1", 998)], "127.0.0.1"),
        ([("0.0.0.0", ME)], "127.0.0.1"),
        ([("127.0.0.5", ME)], "127.0.0.5"),
        ([("::1", ME)], "::1"),
        ([("::", 0)], "::1"),
        ([("::ffff:127.0.0.1", ME)], "127.0.0.1"),
        ([("::1", ME), ("127.0.0.1", ME)], "127.0.0.1"),
        # Somebody else, who may answer in place of whom we mean.
        ([("127.0.0.1", SOMEBODY_ELSE)], None),
        ([("0.0.0.0", SOMEBODY_ELSE)], None),
        ([("127.0.0.1", NOBODY)], None),
        ([("127.0.0.1", None)], None),
        ([("0.0.0.0", ME), ("127.0.0.1", SOMEBODY_ELSE)], None),
        ([("127.0.0.1", ME), ("::", SOMEBODY_ELSE)], None),
        # Not reached through loopback.
        ([("192.0.2.1", ME)], None),
        ([("192.0.2.1", SOMEBODY_ELSE), ("127.0.0.1", ME)], "127.0.0.1"),
        ([], None),
    ],
)
def test_whom_we_believe(rows: list[tuple[str, int | None]], expected: str | None):
    found = judge([Row(ip_address(host), 8080, uid, 1) for host, uid in rows], (8080,), ME)
    assert [listener.host for listener in found] == ([expected] if expected else [])


def test_a_port_of_which_nobody_asked_is_nobodys_business():
    assert judge([Row(ip_address("127.0.0.1"), 22, ME, 1)], (8080,), ME) == ()


async def test_who_really_listens_here():
    async with FakeLlamaCpp() as fake:
        (found,) = believed((fake.port, 1))
        assert (found.port, found.host) == (fake.port, "127.0.0.1")
    assert believed((fake.port,)) == ()
    assert believed(()) == ()


# The whole look.


async def test_all_servers_of_the_machine(monkeypatch: pytest.MonkeyPatch):
    async with FakeLlamaCpp() as llama, OllamaDouble() as ollama, VllmDouble() as vllm:
        monkeypatch.setenv(PORTS_ENV, f"{vllm.port},{llama.port},1,{ollama.port}")
        found = await Discovery(timeout_s=30).look()
        assert [one.server.title for one in found] == ["vLLM", "llama.cpp", "Ollama"]
        assert [one.listener.port for one in found] == [vllm.port, llama.port, ollama.port]


async def test_nothing_is_sent_to_whom_we_do_not_believe(monkeypatch: pytest.MonkeyPatch):
    async with FakeLlamaCpp() as fake:
        monkeypatch.setenv(PORTS_ENV, str(fake.port))

        def nobody(ports: Collection[int]) -> tuple[Listener, ...]:
            assert fake.port in ports
            return ()

        assert await Discovery(listeners=nobody).look() == ()
        assert fake.connections == 0


async def test_who_is_no_model_server_is_asked_once(monkeypatch: pytest.MonkeyPatch):
    async with PlainDouble() as page, FakeLlamaCpp() as model:
        monkeypatch.setenv(PORTS_ENV, f"{page.port},{model.port}")
        discovery = Discovery(timeout_s=30)
        asked: list[tuple[int, int]] = []
        for _ in range(3):
            found = await discovery.look()
            assert [one.listener.port for one in found] == [model.port]
            asked.append((len(page.requests), len(model.requests)))
        assert asked[0] == asked[1] == asked[2]
        # Another program at the same port may be one.
        port = page.port
        await page.__aexit__()
        other = FakeLlamaCpp()
        await other.start(port)
        assert [one.listener.port for one in await discovery.look()] == [port, model.port]
        await other.stop()


async def test_a_program_that_does_not_answer_is_asked_again_later(
    monkeypatch: pytest.MonkeyPatch,
):
    connections = 0

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    monkeypatch.setenv(PORTS_ENV, str(server.sockets[0].getsockname()[1]))
    now = 0.0
    discovery = Discovery(timeout_s=30, asking_s=0.1, clock=lambda: now)
    assert await discovery.look() == ()
    first = connections
    assert first > 0
    assert await discovery.look() == ()
    assert connections == first
    now += 3600
    assert await discovery.look() == ()
    assert connections > first
    server.close()


class LateDouble(PlainDouble):
    """A server of llama.cpp's that answers nothing before it is let."""

    def __init__(self) -> None:
        body = b'{"object":"list","data":[{"id":"m","owned_by":"llamacpp"}]}'
        super().__init__({"/v1/models": Reply(body=body)})
        self.let = asyncio.Event()

    async def _respond(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await self.let.wait()
        await super()._respond(request, writer)


async def test_a_server_that_is_later_than_a_look_is_found_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
):
    """As on a machine that is busy starting an editor."""
    async with LateDouble() as late, FakeLlamaCpp() as model:
        monkeypatch.setenv(PORTS_ENV, f"{late.port},{model.port}")
        discovery = Discovery(timeout_s=1.0, asking_s=60)
        # Who is in time is found, and nobody is asked twice at once.
        async with asyncio.timeout(30):
            while not (found := await discovery.look()) or not late.requests:
                pass
        assert [one.listener.port for one in found] == [model.port]
        assert len(await discovery.look()) == 1
        asked = len(late.requests)
        late.let.set()
        async with asyncio.timeout(30):
            while len(await discovery.look()) < 2:
                pass
        assert len(late.requests) == asked
        await discovery.aclose()


async def test_who_is_being_asked_is_left_alone_at_the_end(monkeypatch: pytest.MonkeyPatch):
    async with LateDouble() as late:
        monkeypatch.setenv(PORTS_ENV, str(late.port))
        before = asyncio.all_tasks()
        discovery = Discovery(timeout_s=0.3, asking_s=3600)
        async with asyncio.timeout(30):
            while not late.requests:
                assert await discovery.look() == ()
        await discovery.aclose()
        await asyncio.wait_for(late.hang_ups.wait(), 30)
        ours = {task for task in asyncio.all_tasks() - before if "_identify" in repr(task)}
        assert ours == set()


async def test_one_that_says_that_it_will_be_well_is_asked_by_each_look(
    monkeypatch: pytest.MonkeyPatch,
):
    """A gateway, or a server whose model is being read."""
    loading = Reply("503 Service Unavailable", body=b'{"detail":"Starting"}')
    async with PlainDouble() as server:
        server.otherwise = loading
        monkeypatch.setenv(PORTS_ENV, str(server.port))
        discovery = Discovery(timeout_s=30)
        assert await discovery.look() == ()
        server.otherwise = Reply("404 Not Found", body=b"{}")
        body = b'{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}'
        server.replies["/v1/models"] = Reply(body=body)
        assert [one.server.title for one in await discovery.look()] == ["vLLM"]


async def test_what_cannot_be_read_is_nobody():
    def broken(ports: Collection[int]) -> tuple[Listener, ...]:
        raise RuntimeError(ports)

    assert await Discovery(listeners=broken).look() == ()


async def test_whether_the_same_program_still_listens():
    discovery = Discovery()
    async with FakeLlamaCpp() as fake:
        (listener,) = believed((fake.port,))
        assert await discovery.still_there(listener)
        port = fake.port
        await fake.stop()
        assert not await discovery.still_there(listener)
        await fake.start(port)
        assert not await discovery.still_there(listener)
