"""The real llama.cpp server of one contestant: the embedded one, in a process of its own.

    python -m bench.replay.model_server MODEL.gguf 256

It prints its address and ends when its standard input does.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

KEY = "replay"
CONTEXT_TOKENS = 8_192


def serve(model: Path, batch_tokens: int) -> None:
    """Be the server, with everything but the batch as `sirdab.endpoint.managed` has it.

    Args:
        model: The weights.
        batch_tokens: 0 for what the embedded server has.
    """
    from sirdab.endpoint.managed import engine
    from sirdab.endpoint.managed.state import Instance

    if batch_tokens:
        engine.BATCH_TOKENS = batch_tokens
    options = engine.Options(
        Instance(Path(), "replay"), model, model.stem, CONTEXT_TOKENS, 0, 3_600.0, 3_600.0
    )
    server = engine.start(options, KEY)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)


@asynccontextmanager
async def model_server(model: Path, batch_tokens: int = 0) -> AsyncGenerator[str]:
    """Run a server and yield its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.replay.model_server",
        str(model),
        str(batch_tokens),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        if not url:
            raise RuntimeError("llama.cpp did not start; run bench.replay.model_server by hand")
        yield url.rstrip("/")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
