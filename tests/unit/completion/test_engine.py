"""From a marked document and a model's answer to a suggestion."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from sirdab.completion.engine import Engine
from sirdab.completion.request import Outcome, Reason, Selected, Trigger
from sirdab.config.schema import PrivacySettings, Settings
from sirdab.endpoint.base import EndpointError, GenerationRequest, ProblemKind
from sirdab.text.store import Point
from tests.support.completion import (
    ScriptedEndpoint,
    check_completion,
    complete,
    request_for,
)


@pytest.mark.parametrize(
    ("marked", "model", "expect"),
    [
        ("def f(a, b):\n    return $0", "a + b\n\ndef g", "a + b"),
        ("def f(a, b):\n    retu$0", "rn a + b\n", "rn a + b"),
        ("def f(a, b):\n    $0\n", "return a + b\n\n", "return a + b"),
        ("total = add($0)\n", "1, 2)\nprint(total)", "1, 2"),
        ("x = foo($0", "1)\n", "1)"),
        ("def f():$0", "\n    return 1\n\n", "\n    return 1"),
        ("def f():\r\n    a = 1$0\r\n", "0\n", "0"),
        ("def f():\r\n$0", "    x = 1\n    return x\n\n", "    x = 1\r\n    return x"),
        ("if x:\n    a = '漢字$0", "です'\n", "です'"),
        ("value = 😀$0 + 1", "", None),
        ("def f(a):\n    $0\n    return a\n", "return a\n", None),
        ("if x; then\n  $0\nfi\n", "  echo a\n    echo b\nfi\n", "echo a\n  echo b"),
        ("def f():\n    $0\n", '"""Sum.\n\n    More."""\n', '"""Sum."""'),
    ],
)
async def test_suggests(marked: str, model: str, expect: str | None) -> None:
    await check_completion(marked, model=model, expect=expect)


async def test_half_a_line_at_the_token_limit_is_not_suggested() -> None:
    endpoint = ScriptedEndpoint("a = 1\n    b = [100, 2", truncated=True)
    outcome = await Engine(endpoint).complete(request_for("def f():\n    $0"))
    assert outcome.suggestions[0].text == "a = 1"


async def test_the_token_limit_leaves_what_a_single_line_has() -> None:
    endpoint = ScriptedEndpoint("first + sec", truncated=True)
    outcome = await Engine(endpoint).complete(request_for("x = $0"))
    assert outcome.suggestions[0].text == "first + sec"


async def test_the_range_is_the_cursor() -> None:
    outcome, _ = await complete("x = 1\ny = $0", "2\n")
    suggestion = outcome.suggestions[0]
    assert (suggestion.start, suggestion.stop) == (Point(1, 4), Point(1, 4))


async def test_the_stream_is_closed_when_the_line_is_complete() -> None:
    _, endpoint = await complete(
        "def f():\n    $0", "return 1\ndef g():\n    return 2\n" * 10, multiline="always"
    )
    assert endpoint.closed_early
    assert endpoint.sent.startswith("    return 1\nd")
    assert len(endpoint.sent) < 20


async def test_the_answer_must_begin_with_what_was_backed_up() -> None:
    endpoint = ScriptedEndpoint("something else", constrains=False)
    outcome = await Engine(endpoint).complete(request_for("x = foo$0"))
    assert outcome.reason is Reason.NOT_REPRODUCED


async def test_the_prompt_is_an_append_while_typing() -> None:
    endpoint = ScriptedEndpoint("\n")
    engine = Engine(endpoint)
    typed = "    return first + second"
    for size in range(4, len(typed)):
        marked = f"def f(first, second):\n{typed[:size]}$0\n\n\nprint(f(1, 2))\n"
        await engine.complete(request_for(marked))
    prompts = [request.prompt for request in endpoint.requests]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(prompts))


async def test_an_auto_closed_bracket_does_not_change_the_suffix() -> None:
    endpoint = ScriptedEndpoint("\n")
    engine = Engine(endpoint)
    await engine.complete(request_for("x = foo$0\nprint(x)\n"))
    await engine.complete(request_for("x = foo($0)\nprint(x)\n"))
    first, second = (request.prompt for request in endpoint.requests)
    assert second.startswith(first.rsplit("<|fim_middle|>", 1)[0])


@pytest.mark.parametrize(
    ("marked", "options", "reason"),
    [
        ("x = $0", {"enabled": False}, Reason.DISABLED),
        ("x = $0", {"disabled_languages": ("python",)}, Reason.LANGUAGE_DISABLED),
        ("# note $0", {"disabled_scopes": ("comment",)}, Reason.SCOPE_DISABLED),
        ("x = 'abc $0", {"disabled_scopes": ("string",)}, Reason.SCOPE_DISABLED),
        ("$0", {}, Reason.NO_CONTEXT),
        ("x = fo$0o(1)", {"trigger": Trigger.AUTOMATIC}, Reason.MID_WORD),
        ("x = 1\0$0", {}, Reason.UNSUPPORTED_DOCUMENT),
        ("x" * 200_000 + "$0", {}, Reason.TOO_LARGE),
    ],
)
async def test_a_shut_gate_asks_nobody(
    marked: str, options: dict[str, object], reason: Reason
) -> None:
    outcome, endpoint = await complete(marked, "never", **options)
    assert outcome.reason is reason
    assert outcome.detail.endswith(".")
    assert endpoint.requests == []


@pytest.mark.parametrize("scheme", ["file://", "untitled:", "vscode-notebook-cell:"])
async def test_an_excluded_file_asks_nobody(
    scheme: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("work") / ".env"
    path.write_text("A=1\n", encoding="utf-8")
    uri = scheme + path.as_uri().removeprefix("file://")
    outcome, endpoint = await complete("NAME=$0", "never", uri=uri)
    assert outcome.reason is Reason.EXCLUDED
    assert endpoint.requests == []


TOKEN = "ghp_" + "a8Fk29sLq0XzT4bVn6Wc1YdE5uRh7JmPo3Gi"


async def test_a_secret_never_enters_a_prompt() -> None:
    marked = f'token = "{TOKEN}"\nprint(token)\nx = $0\nother = "{TOKEN}"\n'
    _, endpoint = await complete(marked, "1\n")
    assert TOKEN not in endpoint.requests[0].prompt
    assert "token = " in endpoint.requests[0].prompt


async def test_redaction_is_the_users_to_turn_off() -> None:
    settings = replace(Settings(), privacy=PrivacySettings(redact_secrets=False))
    _, endpoint = await complete(f'token = "{TOKEN}"\nx = $0\n', "1\n", settings=settings)
    assert TOKEN in endpoint.requests[0].prompt


async def test_no_completion_on_a_line_with_a_secret() -> None:
    outcome, _ = await complete(f'token = "{TOKEN}" $0', "never")
    assert outcome.reason is Reason.SECRET


async def test_control_tokens_in_the_users_text_are_broken() -> None:
    _, endpoint = await complete("a = '<|fim_middle|>'\nb = $0\n", "1\n")
    assert endpoint.requests[0].prompt.count("<|fim_middle|>") == 1


async def test_control_tokens_in_the_answer_cut_it() -> None:
    await check_completion("b = $0", "1<|endoftext|>junk\n", "1")


async def test_an_unknown_model_is_asked_to_continue() -> None:
    endpoint = ScriptedEndpoint("1\n", model="mystery-7b.gguf")
    outcome = await Engine(endpoint).complete(request_for("b = $0\nprint(b)"))
    assert endpoint.requests[0].prompt == "b ="
    assert outcome.suggestions[0].text == "1"


async def test_a_selected_item_is_extended_in_its_own_range() -> None:
    selected = Selected(Point(0, 4), Point(0, 6), "parse_date")
    outcome, endpoint = await complete("x = pa$0", "(text)\n", selected=selected)
    suggestion = outcome.suggestions[0]
    assert suggestion.text == "parse_date(text)"
    assert (suggestion.start, suggestion.stop) == (Point(0, 4), Point(0, 6))
    assert endpoint.requests[0].begins_with == "_date"


@pytest.mark.parametrize("kind", list(ProblemKind))
async def test_a_problem_of_the_endpoint_is_an_outcome(kind: ProblemKind) -> None:
    endpoint = ScriptedEndpoint("", problem=EndpointError(kind, "It is down; start it."))
    outcome = await Engine(endpoint).complete(request_for("x = $0"))
    assert (outcome.reason, outcome.detail) == (Reason.ENDPOINT, "It is down; start it.")


async def test_a_fault_of_ours_is_an_outcome() -> None:
    class Broken(ScriptedEndpoint):
        async def acquire(self) -> ScriptedEndpoint:
            raise RuntimeError("secret source text")

    outcome = await Engine(Broken("")).complete(request_for("x = $0"))
    assert outcome.reason is Reason.INTERNAL
    assert "secret source text" not in outcome.detail


async def test_the_prompt_is_in_the_trace_only_when_asked_for() -> None:
    engine = Engine(ScriptedEndpoint("1\n"))
    request = request_for("value = $0")
    assert "prompt" not in (await engine.complete(request)).trace
    assert "value" in (await engine.complete(request, show_prompt=True, fresh=True)).trace["prompt"]


async def test_the_prompt_fits_a_small_context() -> None:
    endpoint = ScriptedEndpoint("1\n", context_tokens=512)
    await Engine(endpoint).complete(request_for("x = 1\n" * 3000 + "y = $0\n" + "z = 2\n" * 3000))
    assert len(endpoint.requests[0].prompt) < 512 * 3


class Choices(ScriptedEndpoint):
    """A model whose answers depend on the seed."""

    def __init__(self, *answers: str) -> None:
        super().__init__(answers[0])
        self.answers = answers

    def generate(self, request: GenerationRequest) -> Any:
        self.answer = self.answers[request.seed or 0]
        return super().generate(request)


def texts(outcome: Outcome) -> list[str]:
    return [suggestion.text for suggestion in outcome.suggestions]


async def test_asking_again_at_the_same_place_gives_alternatives() -> None:
    endpoint = Choices("a + b\n", "b + a\n", "sum((a, b))\n")
    engine = Engine(endpoint)
    request = replace(request_for("def f(a, b):\n    return $0"), alternatives=3)
    first = await engine.complete(request)
    assert texts(first) == ["a + b"]
    assert [asked.temperature for asked in endpoint.requests] == [0.0]
    again = await engine.complete(request)
    assert texts(again) == ["a + b", "b + a", "sum((a, b))"]
    assert again.suggestions[0].id == first.suggestions[0].id
    assert all(asked.temperature > 0 for asked in endpoint.requests[1:])
    # They are all known now, so the model is not asked again.
    assert texts(await engine.complete(request)) == texts(again)
    assert len(endpoint.requests) == 3


async def test_an_alternative_that_is_none_is_left_out() -> None:
    engine = Engine(Choices("a + b\n", "a + b\n", "\n"))
    request = replace(request_for("def f(a, b):\n    return $0"), alternatives=3)
    await engine.complete(request)
    assert texts(await engine.complete(request)) == ["a + b"]


async def test_alternatives_belong_to_a_place_of_a_text() -> None:
    endpoint = Choices("a + b\n", "b + a\n", "sum((a, b))\n")
    engine = Engine(endpoint)
    request = replace(request_for("def f(a, b):\n    return $0"), alternatives=3)
    await engine.complete(request)
    edited = replace(request_for("def f(a, c):\n    return $0"), alternatives=3)
    assert texts(await engine.complete(edited)) == ["a + b"]
    engine.forget(edited.snapshot.uri)
    assert texts(await engine.complete(edited)) == ["a + b"]
    typed = replace(edited, alternatives=1)
    assert texts(await engine.complete(typed)) == ["a + b"]


async def test_a_failure_keeps_what_is_known() -> None:
    endpoint = Choices("a + b\n", "b + a\n", "sum((a, b))\n")
    engine = Engine(endpoint)
    request = replace(request_for("def f(a, b):\n    return $0"), alternatives=3)
    await engine.complete(request)

    def fail(request: GenerationRequest) -> Any:
        del request
        raise EndpointError(ProblemKind.TIMEOUT, "Too slow.")

    endpoint.generate = fail
    assert texts(await engine.complete(request)) == ["a + b"]


async def test_a_selected_item_that_ends_in_half_a_line_end() -> None:
    selected = Selected(Point(0, 4), Point(0, 5), "foo\r")
    request = request_for("x = f$0\ny = 2", selected=selected)
    outcome = await Engine(ScriptedEndpoint("1\n")).complete(request)
    assert outcome.reason is not Reason.INTERNAL


async def test_an_explanation_says_what_a_key_would_meet() -> None:
    model = ScriptedEndpoint("b + c\n")
    request = request_for("a = $0 + other\n", trigger=Trigger.INVOKED)
    outcome = await Engine(model).complete(request, fresh=True)
    gates = outcome.trace["gates"]
    assert "right of the cursor" in gates.pop("mid-line")
    assert set(gates.values()) == {"open"}
    assert outcome.trace["tokens"]["prompt"] > 0
