"""What the refusals of model servers mean."""

from typing import Any

import pytest

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.client import make_client, raise_for_status
from sirdab.endpoint.refusals import kind_of, problem_of, refusal_of
from sirdab.policy.loopback import check_endpoint_url
from tests.support.doubles.http import Double, Fault
from tests.support.doubles.lmstudio import LmStudioDouble
from tests.support.doubles.localai import LocalAiDouble
from tests.support.doubles.ollama import OUT_OF_MEMORY, OVERFLOW, OllamaDouble
from tests.support.doubles.openwebui import OpenWebUiDouble
from tests.support.doubles.sglang import SglangDouble
from tests.support.doubles.tgi import TgiDouble
from tests.support.doubles.triton import TritonDouble
from tests.support.doubles.vllm import VllmDouble

URL = "http://127.0.0.1:1"
SECRET = "def hidden_business(): ..."

OPENAI_OVERFLOW = (
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
)
TGI_OVERFLOW = (
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000"
)


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (301, None, ProblemKind.POLICY),
        (401, {"error": "Unauthorized"}, ProblemKind.REFUSED),
        (403, None, ProblemKind.REFUSED),
        (400, None, ProblemKind.REFUSED),
        (400, {"error": {"message": SECRET}}, ProblemKind.REFUSED),
        (404, None, ProblemKind.PROTOCOL),
        (404, {"detail": "Not Found"}, ProblemKind.PROTOCOL),
        (405, None, ProblemKind.PROTOCOL),
        (500, None, ProblemKind.PROTOCOL),
        (500, {"error": SECRET}, ProblemKind.PROTOCOL),
        # Loading, busy, and gone.
        (503, None, ProblemKind.LOADING),
        (503, {"error": {"type": "unavailable_error", "code": 503}}, ProblemKind.LOADING),
        (503, {"error": {"message": "no slot available", "code": 503}}, ProblemKind.BUSY),
        (
            503,
            {"error": "server busy, please try again.  maximum pending requests exceeded"},
            ProblemKind.BUSY,
        ),
        (429, None, ProblemKind.BUSY),
        (429, {"error": "Model is overloaded", "error_type": "overloaded"}, ProblemKind.BUSY),
        (500, {"error": "unexpected server status: llm server loading model"}, ProblemKind.LOADING),
        (404, {"error": 'model "x" not found, try pulling it first'}, ProblemKind.NO_MODEL),
        (
            404,
            {"error": {"message": "The model `x` does not exist.", "type": "NotFoundError"}},
            ProblemKind.NO_MODEL,
        ),
        # Memory.
        (
            500,
            {"error": "model requires more system memory (8.1 GiB) than is available (7.3 GiB)"},
            ProblemKind.MEMORY,
        ),
        (500, {"error": OUT_OF_MEMORY}, ProblemKind.MEMORY),
        (500, {"error": {"message": "CUDA out of memory. Tried to allocate"}}, ProblemKind.MEMORY),
        (
            400,
            {"error": "Model loading was stopped due to insufficient system resources."},
            ProblemKind.MEMORY,
        ),
        # Overflow.
        (400, {"error": {"type": "exceed_context_size_error"}}, ProblemKind.OVERFLOW),
        (400, {"error": OVERFLOW}, ProblemKind.OVERFLOW),
        (400, {"error": {"message": OPENAI_OVERFLOW}}, ProblemKind.OVERFLOW),
        (400, {"object": "error", "message": OPENAI_OVERFLOW}, ProblemKind.OVERFLOW),
        (422, {"error": TGI_OVERFLOW, "error_type": "validation"}, ProblemKind.OVERFLOW),
        (500, {"error": "the input length exceeds the context length"}, ProblemKind.OVERFLOW),
        (
            400,
            {"error": "Trying to keep the first 111 tokens when context the overflows."},
            ProblemKind.OVERFLOW,
        ),
        # What is no error object at all.
        (400, [1, 2], ProblemKind.REFUSED),
        (400, {"error": ["nested", {"error": "out of memory"}]}, ProblemKind.REFUSED),
        (400, {"error": {"error": {"error": {"error": "out of memory"}}}}, ProblemKind.REFUSED),
    ],
)
def test_what_a_refusal_means(status: int, answer: object, kind: ProblemKind):
    problem = problem_of(status, refusal_of(answer), URL)
    assert problem.kind is kind
    assert problem.message.endswith(".")
    assert "\n" not in problem.message
    # A server's own words may quote the prompt.
    assert "hidden_business" not in problem.message


@pytest.mark.parametrize(
    ("answer", "limit"),
    [
        ({"error": {"type": "exceed_context_size_error", "n_ctx": 2048}}, 2048),
        ({"error": {"type": "exceed_context_size_error", "n_ctx": "evil"}}, 0),
        ({"error": {"type": "exceed_context_size_error", "n_ctx": -1}}, 0),
        ({"error": {"type": "exceed_context_size_error", "n_ctx": True}}, 0),
        ({"error": OVERFLOW}, 512),
        ({"error": {"message": OPENAI_OVERFLOW}}, 4096),
        ({"error": TGI_OVERFLOW}, 4096),
        ({"error": "the input length exceeds the context length"}, 0),
    ],
)
def test_an_overflow_says_how_much_fits(answer: object, limit: int):
    problem = problem_of(400, refusal_of(answer), URL)
    assert problem.kind is ProblemKind.OVERFLOW
    assert problem.limit_tokens == limit


def test_a_long_answer_is_not_read_to_its_end():
    assert kind_of(400, refusal_of({"error": "x" * 100_000 + "out of memory"}).words) is (
        ProblemKind.REFUSED
    )


_KINDS = {
    Fault.KEY: {ProblemKind.REFUSED},
    Fault.BUSY: {ProblemKind.BUSY},
    Fault.LOADING: {ProblemKind.LOADING},
}


@pytest.mark.parametrize("fault", _KINDS)
@pytest.mark.parametrize(
    "kind",
    [
        LmStudioDouble,
        LocalAiDouble,
        OllamaDouble,
        OpenWebUiDouble,
        SglangDouble,
        TgiDouble,
        TritonDouble,
        VllmDouble,
    ],
)
async def test_the_refusals_of_each_server(kind: type[Double], fault: Fault):
    if kind is OllamaDouble and fault is Fault.LOADING:
        pytest.skip("Ollama loads when it is asked, and lets wait meanwhile")
    options: dict[str, Any] = {"api_key": "right"} if fault is Fault.KEY else {}
    async with kind(**options) as double:
        double.fault = fault
        refusal = double.refusal(fault)
        if refusal.status.startswith("200") or refusal.pieces is not None:
            pytest.skip(f"{double.profile_id} says so inside of an answer with status 200")
        address = check_endpoint_url(double.url, allow_remote=False)
        async with make_client(address) as client, client.stream("GET", "/v1/models") as response:
            with pytest.raises(EndpointError) as caught:
                await raise_for_status(response, double.url)
    assert caught.value.kind in _KINDS[fault]
