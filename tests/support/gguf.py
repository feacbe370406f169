"""Writes small GGUF files (ggml, docs/gguf.md, version 3) for tests."""

import struct
from collections.abc import Mapping, Sequence


def text(value: str) -> bytes:
    """A string of the format: length, then UTF-8."""
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key: str, value: object) -> bytes:
    """A key-value pair: text, whole number, or a list of texts or of whole numbers."""
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    assert isinstance(value, list)
    items = [item for item in value if isinstance(item, str)]
    if items:
        body = b"".join(text(item) for item in items)
        return text(key) + struct.pack("<IIQ", 9, 8, len(items)) + body
    numbers = [item for item in value if isinstance(item, int)]
    return text(key) + struct.pack(f"<IIQ{len(numbers)}I", 9, 4, len(numbers), *numbers)


METADATA: Mapping[str, object] = {
    "general.architecture": "qwen2",
    "general.name": "Tiny",
    "qwen2.context_length": 512,
    "qwen2.block_count": 2,
    "qwen2.embedding_length": 64,
    "qwen2.attention.head_count": 4,
    "qwen2.attention.head_count_kv": 2,
    "tokenizer.ggml.tokens": ["a", "b", "\N{SNOWMAN}"],
    "tokenizer.ggml.token_type": [1, 1, 1],
}


def gguf(
    metadata: Mapping[str, object] = METADATA,
    *,
    tensors: Sequence[int] = (0, 64),
    data: int = 128,
    version: int = 3,
) -> bytes:
    """A file with these pairs, tensors at these offsets and so many bytes of data."""
    head = struct.pack("<4sIQQ", b"GGUF", version, len(tensors), len(metadata))
    head += b"".join(pair(key, value) for key, value in metadata.items())
    for number, offset in enumerate(tensors):
        head += text(f"blk.{number}.weight") + struct.pack("<IQIQ", 1, 16, 0, offset)
    return head + b"\0" * (-len(head) % 32) + b"\1" * data
