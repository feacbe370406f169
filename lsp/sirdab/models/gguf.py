"""Reads the header of a GGUF file, so that a wrong file is refused before llama.cpp sees it.

The format is the one of `docs/gguf.md` in ggml ("GGUF", versions 2 and 3, little endian):
magic, version, number of tensors, number of key-value pairs, the pairs, then one description
for each tensor, then padding and the tensors' data.

The file may come from anywhere. Every count and length is checked against what is left of
the file and against a bound before anything is allocated, and strings that are not wanted
are skipped unread.

Keys: `docs/gguf.md` in ggml, "Standardized key-value pairs"; `general.file_type`: `llama_ftype` in
include/llama.h of ggml-org/llama.cpp; `split.count`: tools/gguf-split in the same.
"""

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypedDict

from sirdab.models.errors import ModelError

MAGIC = b"GGUF"

# Far above any real file (Gemma's vocabulary of 262,144 entries makes a header of about
# 10 MB) and far below what would hurt.
_MAX_PAIRS = 4_096
_MAX_TENSORS = 100_000
_MAX_ELEMENTS = 4_000_000
_MAX_KEY_BYTES = 65_535
_MAX_TEXT_BYTES = 4_096
# Chat templates with tools are the longest texts of a header that are wanted; real ones are below
# 32 kB.
_MAX_TEMPLATE_BYTES = 1 << 18
# Longer than any control token.
_MAX_TOKEN_BYTES = 64
# Some architectures have another number of key-value heads in each layer and say all of them.
_MAX_LAYERS = 4_096
_MAX_DIMENSIONS = 8
_MAX_ALIGNMENT = 1 << 20

# Value types of the specification (`gguf_metadata_value_type`) with their struct codes.
_SCALARS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_STRING = 8
_ARRAY = 9

_TEMPLATE = "tokenizer.chat_template"
_TOKENS = "tokenizer.ggml.tokens"
_HEADS = ".attention.head_count_kv"

# `llama_ftype`: the quantisation that most tensors have.
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS",
    23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M",
    30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip

Value = str | int | float


class NotGgufError(ModelError):
    """The file is not a GGUF file, or a broken one."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says about itself.

    Attributes:
        version: Version of the format.
        architecture: `general.architecture`, for example "qwen2".
        name: `general.name`, or "".
        kind: `general.type`: "model", "adapter", "mmproj"; "model" when it does not say.
        context_tokens: `ARCHITECTURE.context_length`, or 0.
        kv_bytes_per_token: Size of the key-value cache for one token with 16-bit values, in
            bytes, as far as the header tells, else 0.
        data_start: Offset of the first tensor's data, in bytes.
        last_tensor_start: Offset of the tensor that begins last, in bytes; the file cannot be
            shorter.
        parameters: How many weights the file holds; of a split file only those of this part.
        weights_bytes: Size of the tensors' data in this file.
        parts: How many files the model is split into.
        quantisation: What most tensors are, for example "Q4_K_M"; "" when it does not say.
        layers: `ARCHITECTURE.block_count`, or 0.
        kv_heads: Key-value heads of a layer; where layers differ, their mean, rounded up.
        key_length: Values of a head's key.
        value_length: Values of a head's value.
        width: `ARCHITECTURE.embedding_length`, or 0.
        vocabulary: Number of tokens.
        licence: `general.license`, as the file spells it, or "".
        chat_template: `tokenizer.chat_template`, or "".
        tokens: Those of the wanted tokens that the vocabulary holds, each as one token.
    """

    version: int
    architecture: str
    name: str
    kind: str
    context_tokens: int
    kv_bytes_per_token: int
    data_start: int
    last_tensor_start: int
    parameters: int = 0
    weights_bytes: int = 0
    parts: int = 1
    quantisation: str = ""
    layers: int = 0
    kv_heads: int = 0
    key_length: int = 0
    value_length: int = 0
    width: int = 0
    vocabulary: int = 0
    licence: str = ""
    chat_template: str = ""
    tokens: frozenset[str] = field(default_factory=frozenset[str])


def read_header(path: Path, wanted_tokens: frozenset[str] = frozenset()) -> GgufHeader:
    """Read the header of a file.

    Args:
        path: The file.
        wanted_tokens: Control tokens to look for in the vocabulary.

    Raises:
        NotGgufError: It is not a GGUF file that llama.cpp could read.
        ModelError: It cannot be opened.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, path, path.stat().st_size, wanted_tokens).header()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error


class _Reader:
    """Reads forward through one file; the only state is the position."""

    def __init__(self, file: BinaryIO, path: Path, size: int, wanted: frozenset[str]) -> None:
        self._file = file
        self._path = path
        self._size = size
        self._vocabulary = 0
        self._tokens: set[str] = set()
        # SentencePiece writes a blank as U+2581, and some sentinels with the blank before them.
        self._wanted = {
            written.encode(): token for token in wanted for written in (token, f"\u2581{token}")
        }

    def header(self) -> GgufHeader:
        if self._take(4, "it is too short") != MAGIC:
            raise self._refuse("it does not begin as one")
        (version,) = self._unpack("I")
        if version not in (2, 3):
            raise self._refuse(f"it has the unknown version {version}")
        tensors, pairs = self._unpack("QQ")
        if tensors > _MAX_TENSORS or pairs > _MAX_PAIRS:
            raise self._refuse("its header counts are impossible")
        values: dict[str, Value] = {}
        for _ in range(pairs):
            key = self._text(_MAX_KEY_BYTES)
            value = self._value(key)
            if value is not None:
                values[key] = value
        last, parameters = self._tensors(tensors)
        alignment = _whole(values.get("general.alignment"), 32)
        if not 0 < alignment <= _MAX_ALIGNMENT:
            raise self._refuse("its alignment is impossible")
        start = -(-self._file.tell() // alignment) * alignment
        architecture = _text_of(values.get("general.architecture"))
        if not architecture:
            raise self._refuse("it names no architecture")
        if tensors == 0 or start + last >= self._size:
            raise self._refuse("it is cut short")
        return GgufHeader(
            version=version,
            architecture=architecture,
            name=_text_of(values.get("general.name")),
            kind=_text_of(values.get("general.type")) or "model",
            context_tokens=_whole(values.get(f"{architecture}.context_length"), 0),
            kv_bytes_per_token=_kv_bytes(values, architecture),
            data_start=start,
            last_tensor_start=start + last,
            parameters=parameters,
            weights_bytes=self._size - start,
            parts=max(_whole(values.get("split.count"), 1), 1),
            quantisation=_FILE_TYPES.get(_whole(values.get("general.file_type"), -1), ""),
            layers=_of(values, architecture, "block_count"),
            **_heads(values, architecture),
            width=_of(values, architecture, "embedding_length"),
            vocabulary=self._vocabulary or _of(values, architecture, "vocab_size"),
            licence=_text_of(values.get("general.license")),
            chat_template=_text_of(values.get(_TEMPLATE)),
            tokens=frozenset(self._tokens),
        )

    def _tensors(self, count: int) -> tuple[int, int]:
        """Return where the last tensor begins, and how many weights there are in all."""
        last = weights = 0
        for _ in range(count):
            self._skip_text()
            (dimensions,) = self._unpack("I")
            if dimensions > _MAX_DIMENSIONS:
                raise self._refuse("a tensor has impossible dimensions")
            weights += math.prod(self._unpack(f"{dimensions}Q")) if dimensions else 0
            self._skip(4)
            (offset,) = self._unpack("Q")
            last = max(last, offset)
        return last, weights

    def _value(self, key: str) -> Value | None:
        (kind,) = self._unpack("I")
        if kind == _STRING:
            return self._text_or_skip(_MAX_TEMPLATE_BYTES if key == _TEMPLATE else _MAX_TEXT_BYTES)
        if kind == _ARRAY:
            return self._array(key)
        code = self._code(kind)
        return self._unpack(code)[0]

    def _array(self, key: str) -> Value | None:
        kind, count = self._unpack("IQ")
        if count > _MAX_ELEMENTS:
            raise self._refuse("an array in its header is impossibly long")
        if key == _TOKENS and kind == _STRING:
            self._read_tokens(count)
            return None
        code = _SCALARS.get(kind, "")
        if key.endswith(_HEADS) and code and code not in "fd" and 0 < count <= _MAX_LAYERS:
            return -(-sum(self._unpack(f"{count}{code}")) // count)
        self._skip_array(kind, count)
        return None

    def _read_tokens(self, count: int) -> None:
        self._vocabulary = count
        for _ in range(count):
            (length,) = self._unpack("Q")
            if length > _MAX_TOKEN_BYTES or not self._wanted:
                self._skip(length)
                continue
            token = self._wanted.get(self._take(length))
            if token is not None:
                self._tokens.add(token)

    def _skip_array(self, kind: int, count: int) -> None:
        if kind == _STRING:
            for _ in range(count):
                self._skip_text()
            return
        # The specification allows nested arrays, but no model has one and llama.cpp refuses
        # them; `_code` does too.
        self._skip(count * struct.calcsize(f"<{self._code(kind)}"))

    def _code(self, kind: int) -> str:
        code = _SCALARS.get(kind)
        if code is None:
            raise self._refuse(f"its header has a value of the unknown type {kind}")
        return code

    def _text_or_skip(self, limit: int) -> str | None:
        (length,) = self._unpack("Q")
        if length > limit:
            self._skip(length)
            return None
        return self._take(length).decode("utf-8", "replace")

    def _text(self, limit: int) -> str:
        (length,) = self._unpack("Q")
        if length > limit:
            raise self._refuse("a name in its header is impossibly long")
        return self._take(length).decode("utf-8", "replace")

    def _skip_text(self) -> None:
        (length,) = self._unpack("Q")
        self._skip(length)

    def _skip(self, count: int) -> None:
        if count > self._size - self._file.tell():
            raise self._refuse("its header is cut short")
        # Reading is cheaper than seeking for small pieces: a seek drops the buffer.
        if count < 8192:
            self._take(count)
        else:
            self._file.seek(count, 1)

    def _unpack(self, codes: str) -> tuple[int, ...]:
        return struct.unpack(f"<{codes}", self._take(struct.calcsize(f"<{codes}")))

    def _take(self, count: int, complaint: str = "its header is cut short") -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise self._refuse(complaint)
        return data

    def _refuse(self, reason: str) -> NotGgufError:
        return NotGgufError(
            f"{self._path} is not a usable GGUF model file: {reason}; "
            "download it again or choose another file."
        )


def _text_of(value: Value | None) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: Value | None, default: int) -> int:
    return value if isinstance(value, int) else default


def _kv_bytes(values: dict[str, Value], architecture: str) -> int:
    """Return the bytes of key-value cache per token: layers x heads x (key + value) x 2."""
    heads = _heads(values, architecture)
    per_head = heads["key_length"] + heads["value_length"]
    return _of(values, architecture, "block_count") * heads["kv_heads"] * per_head * 2


def _heads(values: dict[str, Value], architecture: str) -> "_Heads":
    """Return the heads of a layer; what the file leaves out has the value of the specification."""
    heads = _of(values, architecture, "attention.head_count")
    size = _of(values, architecture, "embedding_length") // heads if heads else 0
    return {
        "kv_heads": _of(values, architecture, "attention.head_count_kv") or heads,
        "key_length": _of(values, architecture, "attention.key_length") or size,
        "value_length": _of(values, architecture, "attention.value_length") or size,
    }


def _of(values: dict[str, Value], architecture: str, name: str) -> int:
    return max(_whole(values.get(f"{architecture}.{name}"), 0), 0)


class _Heads(TypedDict):
    """Values of `GgufHeader` that tell the size of the key-value cache."""

    kv_heads: int
    key_length: int
    value_length: int
