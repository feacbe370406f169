"""What llama.cpp's options are worth to the embedded engine on this machine.

Each variant is an engine of its own that answers the same questions, holes in this project's code.
The variants take turns, twice in opposite order, so that a machine that slows down is nobody's
fault. An option that changes nothing but the speed must leave the answers as they are.

Run as `python -m bench.engine_options [MODEL ...]`; writes `bench/results/engine_options.json` and
`engine_options.md`.
"""

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sirdab.benchmark.holes import choose
from sirdab.completion.prompt import build
from sirdab.endpoint.base import GenerationRequest, Usage
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.endpoint.managed.engine import Options, parameters
from sirdab.endpoint.managed.state import Instance
from sirdab.models.catalog import family_of
from sirdab.models.store import find
from sirdab.policy.loopback import check_endpoint_url
from sirdab.text.store import Point

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PLACES = 6
SEED = 11
BEFORE = 1_500
AFTER = 400
WRITTEN = 40
MODELS = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
KEY = "bench"


def _nothing(params: Any, library: Any) -> None:
    del params, library


def _flash(params: Any, library: Any) -> None:
    params.flash_attn_type = library.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED


def _no_flash(params: Any, library: Any) -> None:
    params.flash_attn_type = library.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED


def _small_cache(params: Any, library: Any) -> None:
    _flash(params, library)
    params.cache_type_k = params.cache_type_v = library.ggml_type.GGML_TYPE_Q8_0


def _batch(tokens: int) -> Callable[[Any, Any], None]:
    def change(params: Any, library: Any) -> None:
        del library
        params.n_batch = params.n_ubatch = tokens

    return change


def _copying(found: int, drafted: int) -> Callable[[Any, Any], None]:
    """Draft what followed the same tokens earlier in the prompt (n-gram speculative decoding)."""

    def change(params: Any, library: Any) -> None:
        kinds = library.common_speculative_type
        params.speculative.types = [kinds.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
        params.speculative.ngram_simple.size_n = found
        params.speculative.ngram_simple.size_m = drafted

    return change


def _no_copying(params: Any, library: Any) -> None:
    params.speculative.types = [library.common_speculative_type.COMMON_SPECULATIVE_TYPE_NONE]


VARIANTS: dict[str, Callable[[Any, Any], None]] = {
    "as shipped": _nothing,
    "no drafts": _no_copying,
    "flash attention on": _flash,
    "flash attention off": _no_flash,
    "8-bit cache": _small_cache,
    "batch of 128": _batch(128),
    "batch of 512": _batch(512),
    "drafts of 8 behind 3": _copying(3, 8),
    "drafts of 24 behind 5": _copying(5, 24),
    "drafts of 12 behind 8": _copying(8, 12),
}


def serve(variant: str, model: str) -> None:
    """Be one engine until the parent is gone."""
    options = Options(
        Instance(Path(tempfile.gettempdir()), "bench"), Path(model), "bench", 4_096, 0, 0, 0
    )
    params = parameters(options, KEY)
    import xllamacpp  # pyright: ignore[reportMissingTypeStubs]

    library: Any = xllamacpp
    VARIANTS[variant](params, library)
    server = library.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)


@contextmanager
def engine(variant: str, model: Path) -> Generator[str]:
    """Run one engine and give its address."""
    command = [sys.executable, "-m", "bench.engine_options", "--serve", variant, str(model)]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=nowhere, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"the engine of {variant!r} did not start")
        yield url
    finally:
        process.stdin.close()
        process.wait(30)


async def ask(url: str, prompts: list[str]) -> list[tuple[Usage, str]]:
    """Put every question to an engine, the first one twice so that it is warm."""
    endpoint = LlamaCppEndpoint(
        check_endpoint_url(url, allow_remote=False), api_key=KEY, timeout_ms=120_000
    )
    found: list[tuple[Usage, str]] = []
    try:
        await endpoint.describe()
        for prompt in [prompts[0][:200], *prompts]:
            request = GenerationRequest(
                prompt, WRITTEN, first_token_ms=120_000, total_ms=120_000, patient=True
            )
            usage, text = Usage(), ""
            async with endpoint.generate(request) as chunks:
                async for chunk in chunks:
                    text += chunk.text
                    usage = chunk.usage or usage
            found.append((usage, text))
    finally:
        await endpoint.aclose()
    return found[1:]


def questions(model: Path) -> list[str]:
    """Return the prompts: holes in the middle of this project's files."""
    family = family_of(model.stem, str(model))
    prompts: list[str] = []
    for hole in choose(ROOT / "lsp", ("line",), PLACES, SEED):
        before = hole.text.slice(Point(0, 0), hole.point)[-BEFORE:]
        after = hole.text.slice(hole.point, hole.text.end)[:AFTER]
        prompts.append(build(family, before, after).text)
    return prompts


def measure(name: str) -> dict[str, Any]:
    """Measure every variant with one model."""
    model = find(name).path
    prompts = questions(model)
    answers: dict[str, list[tuple[Usage, str]]] = {variant: [] for variant in VARIANTS}
    for order in (list(VARIANTS), list(reversed(VARIANTS))):
        for variant in order:
            with engine(variant, model) as url:
                answers[variant] += asyncio.run(ask(url, prompts))
            print(f"{name}: {variant}", file=sys.stderr)
    rows: dict[str, Any] = {}
    for variant, found in answers.items():
        usages = [usage for usage, _ in found]
        read = [one.evaluated_tokens * 1000 / one.prompt_ms for one in usages]
        written = [one.generated_tokens * 1000 / one.generated_ms for one in usages]
        rows[variant] = {
            "read_per_second": round(statistics.median(read), 1),
            "written_per_second": round(statistics.median(written), 1),
            "same_answers": sum(
                text == other
                for (_, text), (_, other) in zip(found, answers["as shipped"], strict=True)
            )
            / len(found),
        }
    return rows


def as_markdown(results: dict[str, Any]) -> str:
    """Return the results as a page."""
    machine = results["machine"]
    parts = [
        f"""# Options of the embedded engine

Written by `python -m bench.engine_options`, which says what is measured. Tokens a second, medians;
ratios are to what is shipped, in the same run.

{machine["cores"]} cores, {machine["system"]}.
"""
    ]
    for model, rows in results["models"].items():
        shipped = rows["as shipped"]
        parts.append(
            f"\n## {model}\n\n| option | read/s | ratio | written/s | ratio | same answers |\n"
            "| --- | ---: | ---: | ---: | ---: | ---: |"
        )
        for variant, row in rows.items():
            read, written = row["read_per_second"], row["written_per_second"]
            parts.append(
                f"| {variant} | {read} | {read / shipped['read_per_second']:.2f} | {written} "
                f"| {written / shipped['written_per_second']:.2f} | {row['same_answers']:.0%} |"
            )
    return "\n".join(parts) + "\n"


def main() -> int:
    """Measure, write the results and print them."""
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], sys.argv[3])
        return 0
    names = sys.argv[1:] or list(MODELS)
    results = {
        "machine": {
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "models": {name: measure(name) for name in names},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "engine_options.json").write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    page = as_markdown(results)
    (RESULTS / "engine_options.md").write_text(page, encoding="utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
