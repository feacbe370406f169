"""The clean code is right, and each defect that is put into it is one."""

import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from sirdab.benchmark.defects.fixtures import Fixture, fixture_named, fixtures
from sirdab.benchmark.defects.sandbox import Verdict, judge, node_program, without_network
from sirdab.benchmark.defects.seeds import Seed, choose, own_seeds
from sirdab.benchmark.defects.typescript import without_types
from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Text

# Seconds of computing that a test may take; the clean ones take less than a tenth of it.
SECONDS = 2.0


def lines(language: str) -> int:
    texts = (one.text for one in fixtures() if (one.language_id == "python") is (language == "py"))
    return sum(text.count("\n") for text in texts)


def test_there_is_enough_of_it() -> None:
    assert lines("py") >= 1500
    assert lines("js") >= 500
    assert all(fixture.check for fixture in fixtures())


@pytest.mark.parametrize("fixture", fixtures(), ids=lambda fixture: fixture.name)
def test_the_clean_code_parses(fixture: Fixture) -> None:
    parsed = parse_alone(Text(fixture.text), fixture.language_id)
    assert parsed is not None
    assert not parsed.tree.root_node.has_error


def verdicts(family: str) -> tuple[list[tuple[str, Verdict]], list[tuple[Seed, Verdict]]]:
    """What the tests say of the clean files of a family and of all seeds in them."""
    chosen = [one for one in fixtures() if (one.language_id == "python") is (family == "python")]
    seeds = {one.name: [s for s in own_seeds() if s.name == one.name] for one in chosen}

    def run(fixture: Fixture) -> list[Verdict]:
        return judge(fixture, [fixture.text, *(s.text for s in seeds[fixture.name])], SECONDS)

    # Each is a process of its own, so that two cores have something to do.
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(run, chosen))
    clean = [(one.name, said[0]) for one, said in zip(chosen, found, strict=True)]
    broken = [
        (seed, verdict)
        for one, said in zip(chosen, found, strict=True)
        for seed, verdict in zip(seeds[one.name], said[1:], strict=True)
    ]
    return clean, broken


@pytest.mark.parametrize("family", ["python", "javascript"])
def test_each_test_passes_on_the_clean_code_and_fails_on_each_defect(family: str) -> None:
    if os.name != "posix":
        pytest.skip("the tests of the fixtures are for POSIX systems")
    if family == "javascript" and node_program() is None:
        pytest.skip("Node is not installed")
    clean, broken = verdicts(family)
    assert {name: verdict.why for name, verdict in clean if verdict.passed is not True} == {}
    assert [seed.id for seed, verdict in broken if verdict.passed is not False] == []
    assert len(broken) > 100


posix = pytest.mark.skipif(os.name != "posix", reason="nothing is run on other systems")


def judged(name: str, text: str, seconds: float = SECONDS) -> Verdict:
    fixture = fixture_named(name)
    assert fixture is not None
    return judge(fixture, [text], seconds)[0]


@posix
def test_code_that_never_ends_is_ended() -> None:
    assert judged("python/cache.py", "while True:\n    pass\n", 0.2).passed is False


@pytest.mark.skipif(sys.platform != "linux", reason="the system has no bound of memory")
def test_code_that_takes_all_memory_is_ended() -> None:
    assert judged("python/cache.py", "x = ['a' * 10**7]\nwhile x:\n    x += x\n").passed is False


@posix
def test_code_that_exits_has_not_passed() -> None:
    assert judged("python/cache.py", "import os\nos._exit(0)\n").passed is False
    assert judged("python/cache.py", "raise SystemExit(0)\n").passed is False


@posix
def test_the_environment_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_USER", "x")
    fixture = fixture_named("python/dates.py")
    assert fixture is not None
    spy = f"import os\nassert 'SECRET_OF_THE_USER' not in os.environ\n{fixture.text}"
    assert judge(fixture, [spy], SECONDS)[0].passed is True


REACHES = """
import socket
with socket.create_connection(("127.0.0.1", {port}), 2):
    pass
"""
REACHES_FROM_NODE = """
import net from "node:net";
await new Promise((done, failed) => {{
  net.connect({port}, "127.0.0.1", function () {{ this.destroy(); done(); }}).on("error", failed);
}});
"""


@posix
@pytest.mark.parametrize("name", ["python/dates.py", "javascript/pages.js"])
def test_the_code_reaches_no_network(name: str) -> None:
    fixture = fixture_named(name)
    assert fixture is not None
    if not without_network():
        pytest.skip("this system does not let a user cut a program off from the network")
    if name.endswith(".js") and node_program() is None:
        pytest.skip("Node is not installed")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        source = REACHES if name.endswith(".py") else REACHES_FROM_NODE
        spy = source.format(port=listening.getsockname()[1]) + fixture.text
        assert judge(fixture, [spy], SECONDS)[0].passed is False
        with pytest.raises(BlockingIOError):
            listening.accept()
    # It is the network that was missing.
    assert judge(fixture, [fixture.text], SECONDS)[0].passed is True


def test_typescript_becomes_javascript_of_the_same_lines() -> None:
    text = (
        "interface A { b: string }\n"
        "export type C = A | null;\n"
        "class D<T> implements E { private readonly x?: number; f(a: T, b?: A): void {} }\n"
        "const y = (z as unknown as A)!.b satisfies string;\n"
    )
    plain = without_types(text)
    assert plain.count("\n") == text.count("\n")
    assert "".join(plain.split()) == "classD{x;f(a,b){}}consty=(z).b;"


def test_the_operators_take_turns() -> None:
    chosen = choose(own_seeds(), 90, 1)
    per_operator = [seed.operator.id for seed in chosen]
    assert max(per_operator.count(name) for name in per_operator) <= 2
    assert choose(own_seeds(), 90, 1) == chosen
    assert choose(own_seeds(), 90, 2) != chosen
    assert len(choose(own_seeds(), 10**6, 1)) == len(own_seeds())
