"""Reads the header of a GGUF file, so that a wrong file is refused before llama.cpp sees it.

The format is the one of `docs/gguf.md` in ggml ("GGUF", versions 2 and 3, little endian):
magic, version, number of tensors, number of key-value pairs, the pairs, then one description
for each tensor, then padding and the tensors' data.

The file may come from anywhere. Every count and length is checked against what is left of
the file and against a bound before anything is allocated, and strings that are not wanted
are skipped unread.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sirdab.models.errors import ModelError

MAGIC = b"GGUF"

# Far above any real file (Gemma's vocabulary of 262,144 entries makes a header of about
# 10 MB) and far below what would hurt.
_MAX_PAIRS = 4_096
_MAX_TENSORS = 100_000
_MAX_ELEMENTS = 4_000_000
_MAX_KEY_BYTES = 65_535
_MAX_TEXT_BYTES = 4_096
_MAX_DIMENSIONS = 8
_MAX_ALIGNMENT = 1 << 20

# Value types of the specification (`gguf_metadata_value_type`) with their struct codes.
_SCALARS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_STRING = 8
_ARRAY = 9

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
    """

    version: int
    architecture: str
    name: str
    kind: str
    context_tokens: int
    kv_bytes_per_token: int
    data_start: int
    last_tensor_start: int


def read_header(path: Path) -> GgufHeader:
    """Read the header of a file.

    Raises:
        NotGgufError: It is not a GGUF file that llama.cpp could read.
        ModelError: It cannot be opened.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, path, path.stat().st_size).header()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error


class _Reader:
    """Reads forward through one file; the only state is the position."""

    def __init__(self, file: BinaryIO, path: Path, size: int) -> None:
        self._file = file
        self._path = path
        self._size = size

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
            value = self._value()
            if value is not None:
                values[key] = value
        last = self._last_tensor(tensors)
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
        )

    def _last_tensor(self, count: int) -> int:
        last = 0
        for _ in range(count):
            self._skip_text()
            (dimensions,) = self._unpack("I")
            if dimensions > _MAX_DIMENSIONS:
                raise self._refuse("a tensor has impossible dimensions")
            self._skip(8 * dimensions + 4)
            (offset,) = self._unpack("Q")
            last = max(last, offset)
        return last

    def _value(self) -> Value | None:
        (kind,) = self._unpack("I")
        if kind == _STRING:
            return self._text_or_skip()
        if kind == _ARRAY:
            self._skip_array()
            return None
        code = self._code(kind)
        return self._unpack(code)[0]

    def _skip_array(self) -> None:
        kind, count = self._unpack("IQ")
        if count > _MAX_ELEMENTS:
            raise self._refuse("an array in its header is impossibly long")
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

    def _text_or_skip(self) -> str | None:
        (length,) = self._unpack("Q")
        if length > _MAX_TEXT_BYTES:
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

    def of(name: str) -> int:
        return _whole(values.get(f"{architecture}.{name}"), 0)

    heads = of("attention.head_count")
    kv_heads = of("attention.head_count_kv") or heads
    size = of("embedding_length") // heads if heads else 0
    per_head = (of("attention.key_length") or size) + (of("attention.value_length") or size)
    return of("block_count") * kv_heads * per_head * 2
