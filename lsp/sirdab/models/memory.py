"""How much memory a model needs, before it is loaded.

Three parts, as llama.cpp reports them when it loads a model:

- weights: parameters x bits per weight. How many bits a quantisation takes is the table of
  tools/quantize/README.md of ggml-org/llama.cpp, measured on Llama 3.1 8B. Two things make small
  models larger than that: the embedding of the tokens is kept in 6 bits or more, and rows that are
  no multiple of 256 values cannot be packed in super-blocks and take the next larger plain type
  (`llama_tensor_get_type` in src/llama-quant.cpp of the same). Where the file is there, its size
  is the truth and none of this is used.
- key-value cache: layers x key-value heads x (key + value) x bytes of a value, for each token of
  context.
- buffers: the scores of every token of the vocabulary, in 32 bits, for each of the 512 tokens that
  are read at once (`n_ubatch`), and a fixed rest for activations and the program.
"""

from dataclasses import dataclass

from sirdab.models.family import Family, Size
from sirdab.models.gguf import GgufHeader

# From tools/quantize/README.md, "Llama-3.1-8B"; Q3_K_M, which the table leaves out, from the size
# of the same model's file. Plain types from their blocks in ggml-common.h: 32 weights, and 2 bytes
# for the scale and 2 more for the offset of Q4_1 and Q5_1; MXFP4 has 1 byte for the scale.
BITS_PER_WEIGHT = {
    "IQ1_S": 2.0042, "IQ1_M": 2.1460, "IQ2_XXS": 2.3824, "IQ2_XS": 2.5882, "IQ2_S": 2.7403,
    "IQ2_M": 2.9294, "IQ3_XXS": 3.2548, "IQ3_XS": 3.4977, "IQ3_S": 3.6606, "IQ3_M": 3.7628,
    "IQ4_XS": 4.4597, "IQ4_NL": 4.6818, "Q2_K_S": 2.9697, "Q2_K": 3.1593, "Q3_K_S": 3.6429,
    "Q3_K_M": 3.9960, "Q3_K_L": 4.2979, "Q4_K_S": 4.6672, "Q4_K_M": 4.8944, "Q5_K_S": 5.5704,
    "Q5_K_M": 5.7036, "Q6_K": 6.5633, "Q8_0": 8.5008, "Q4_0": 4.5, "Q4_1": 5.0, "Q5_0": 5.5,
    "Q5_1": 6.0, "MXFP4": 4.25, "BF16": 16.0, "F16": 16.0005, "F32": 32.0,
}  # fmt: skip
"""Mean bits that a weight takes, by quantisation; see above for the source."""

USUAL_QUANTISATION = "Q4_K_M"
"""What is assumed where nothing is said: Ollama's and LM Studio's default."""

_EMBEDDING_BITS = 6.5633
# Of rows that cannot be packed in super-blocks: Q4_K becomes Q5_0, Q5_K Q5_1, Q6_K Q8_0, and the
# smaller types IQ4_NL; a mixture ("_M") has some of each.
_PLAIN_EMBEDDING_BITS = 8.5008
_PLAIN_BITS = {"Q4_K_S": 5.6, "Q4_K_M": 5.95, "Q5_K_S": 6.1, "Q5_K_M": 6.35, "Q6_K": 8.5008}
_LEAST_PLAIN_BITS = 4.6818
_SUPER_BLOCK = 256

READ_AT_ONCE = 512
"""Tokens that llama.cpp reads at once where nobody says otherwise (`n_ubatch`)."""

_SCORE_BYTES = 4
_UNKNOWN_VOCABULARY = 152_064
_FIXED_BYTES = 128 << 20


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What the memory of a model depends on; what is not known is 0 or "".

    Attributes:
        parameters: How many weights there are.
        quantisation: As GGUF spells it, in any case, for example "Q4_K_M".
        layers: Number of layers.
        kv_heads: Key-value heads of a layer.
        key_length: Values of a head's key.
        value_length: Values of a head's value.
        width: Values of a token's embedding.
        vocabulary: Number of tokens.
        weights_bytes: Size of the weights, where it is known exactly.
    """

    parameters: int
    quantisation: str = USUAL_QUANTISATION
    layers: int = 0
    kv_heads: int = 0
    key_length: int = 0
    value_length: int = 0
    width: int = 0
    vocabulary: int = 0
    weights_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """What a loaded model takes.

    Attributes:
        weights_bytes: The weights.
        cache_bytes: The key-value cache; 0 when the shape is not known.
        overhead_bytes: Buffers and the program.
        is_exact: Whether the size of the weights is known and not reckoned.
    """

    weights_bytes: int
    cache_bytes: int
    overhead_bytes: int
    is_exact: bool

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.weights_bytes + self.cache_bytes + self.overhead_bytes


def needed_bytes(
    shape: ModelShape, context_tokens: int, kv_bytes: float = 2.0, read_at_once: int = READ_AT_ONCE
) -> Memory:
    """Return the memory that a model needs.

    Args:
        shape: The model.
        context_tokens: Size of the context; of several slots that of all of them together.
        kv_bytes: Bytes of one value in the key-value cache: 2 for the usual 16 bits, about 1.06 for
            Q8_0.
        read_at_once: Tokens of a prompt that are read at once (`n_ubatch`).
    """
    weights = shape.weights_bytes or _weights(shape)
    cache = int(kv_bytes_per_token(shape, kv_bytes) * max(context_tokens, 0))
    vocabulary = shape.vocabulary or _UNKNOWN_VOCABULARY
    overhead = _FIXED_BYTES + vocabulary * read_at_once * _SCORE_BYTES
    return Memory(weights, cache, overhead, shape.weights_bytes > 0)


def kv_bytes_per_token(shape: ModelShape, kv_bytes: float = 2.0) -> float:
    """Return the bytes of key-value cache that one token of context takes."""
    return shape.layers * shape.kv_heads * (shape.key_length + shape.value_length) * kv_bytes


def bits_per_weight(quantisation: str) -> float:
    """Return the mean bits of a weight; for a quantisation that is not known, the usual one's.

    Args:
        quantisation: As GGUF, Ollama or a file name spell it, for example "Q4_K_M" or "q4_0".
    """
    name = quantisation.strip().upper().replace("-", "_").removeprefix("UD_")
    known = {"FP16": "F16", "FP32": "F32", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M", "Q3_K": "Q3_K_M"}
    name = known.get(name, name)
    # Unsloth's and bartowski's larger variants of a mixture ("_L", "_XL") are little above "_M".
    for ending in ("_XL", "_L"):
        if name not in BITS_PER_WEIGHT and name.endswith(ending):
            name = f"{name.removesuffix(ending)}_M"
            name = name if name in BITS_PER_WEIGHT else name.removesuffix("_M")
    return BITS_PER_WEIGHT.get(name, BITS_PER_WEIGHT[USUAL_QUANTISATION])


def shape_of_header(header: GgufHeader) -> ModelShape:
    """Return the shape that a file tells of itself; of a split file the weights are reckoned."""
    return ModelShape(
        parameters=header.parameters,
        quantisation=header.quantisation or USUAL_QUANTISATION,
        layers=header.layers,
        kv_heads=header.kv_heads,
        key_length=header.key_length,
        value_length=header.value_length,
        width=header.width,
        vocabulary=header.vocabulary,
        weights_bytes=header.weights_bytes if header.parts == 1 else 0,
    )


def shape_of_size(size: Size, quantisation: str = USUAL_QUANTISATION) -> ModelShape:
    """Return the shape of one size of a family, as the catalog tells it."""
    return ModelShape(
        parameters=size.parameters,
        quantisation=quantisation,
        layers=size.layers,
        kv_heads=size.kv_heads,
        key_length=size.head,
        value_length=size.head,
        width=size.width,
        vocabulary=size.vocabulary,
    )


def size_of(family: Family, parameters: int) -> Size | None:
    """Return the size of a family that has about as many parameters, or None.

    Args:
        family: The family.
        parameters: As a server tells them, often rounded or read from a name.
    """
    if parameters <= 0 or not family.sizes:
        return None
    nearest = min(family.sizes, key=lambda size: abs(size.parameters - parameters))
    return nearest if abs(nearest.parameters - parameters) <= nearest.parameters * 0.2 else None


def _weights(shape: ModelShape) -> int:
    bits = bits_per_weight(shape.quantisation)
    embedding = min(shape.width * shape.vocabulary, shape.parameters)
    packed = shape.width % _SUPER_BLOCK == 0
    is_float = bits >= BITS_PER_WEIGHT["BF16"]
    if not packed and not is_float and "_K" in shape.quantisation.upper():
        bits = max(_PLAIN_BITS.get(shape.quantisation.upper(), bits), _LEAST_PLAIN_BITS)
    of_embedding = max(bits, _EMBEDDING_BITS if packed else _PLAIN_EMBEDDING_BITS)
    if is_float:
        of_embedding = bits
    return int(((shape.parameters - embedding) * bits + embedding * of_embedding) / 8)
