"""Writes a GGUF file of the Qwen2 architecture as a folder that PyTorch servers read.

    python scripts/gguf_to_safetensors.py MODEL.gguf FOLDER

Runs in the environment of the server that reads the folder (`prepare_second_server.py`), which has
gguf, tokenizers, safetensors and torch; ours has none of them.

Sources: names of tensors and keys in llama.cpp, gguf-py/gguf/constants.py; of the folder's in
transformers, models/qwen2; the pattern of Qwen2's pre-tokenizer in llama.cpp, src/llama-vocab.cpp
(LLAMA_VOCAB_PRE_TYPE_QWEN2).
"""

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

# What stands for a block's tensor in the GGUF, and in the folder.
_BLOCK = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_REST = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_WORDS = (
    r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CONTROL, _USER_DEFINED = 3, 4


def folder_name(name: str) -> str:
    """Return the name of a tensor in the folder for its name in the GGUF."""
    if name in _REST:
        return _REST[name]
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.(weight|bias)", name)
    if match is None or match[2] not in _BLOCK:
        raise SystemExit(f"the tensor {name} is not known")
    return f"model.layers.{match[1]}.{_BLOCK[match[2]]}.{match[3]}"


def convert(source: Path, folder: Path) -> None:
    """Write the folder.

    Args:
        source: The GGUF file.
        folder: Made when it is not there.
    """
    gguf: Any = importlib.import_module("gguf")
    reader = gguf.GGUFReader(str(source))
    keys = {name: field.contents() for name, field in reader.fields.items()}
    if keys["general.architecture"] != "qwen2":
        raise SystemExit(f"{source} is of the architecture {keys['general.architecture']}")
    folder.mkdir(parents=True, exist_ok=True)
    names = _write_weights(gguf, reader, folder)
    tokens = keys["tokenizer.ggml.tokens"]
    config = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "torch_dtype": "bfloat16",
        "hidden_act": "silu",
        "vocab_size": len(tokens),
        "hidden_size": keys["qwen2.embedding_length"],
        "intermediate_size": keys["qwen2.feed_forward_length"],
        "num_hidden_layers": keys["qwen2.block_count"],
        "num_attention_heads": keys["qwen2.attention.head_count"],
        "num_key_value_heads": keys["qwen2.attention.head_count_kv"],
        "max_position_embeddings": keys["qwen2.context_length"],
        "rms_norm_eps": keys["qwen2.attention.layer_norm_rms_epsilon"],
        "rope_theta": keys["qwen2.rope.freq_base"],
        "tie_word_embeddings": "lm_head.weight" not in names,
        "bos_token_id": keys.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": keys["tokenizer.ggml.eos_token_id"],
        "use_sliding_window": False,
    }
    _write(folder / "config.json", config)
    # The penalty is that of the published folder (Qwen/Qwen2.5-Coder-0.5B-Instruct). It is meant
    # for conversations, and a client that asks for code has to take it back.
    generation = {"eos_token_id": config["eos_token_id"], "repetition_penalty": 1.1}
    _write(folder / "generation_config.json", generation)
    _write_tokenizer(keys, folder)


def _write_weights(gguf: Any, reader: Any, folder: Path) -> set[str]:
    torch: Any = importlib.import_module("torch")
    safetensors: Any = importlib.import_module("safetensors.torch")
    weights: dict[str, Any] = {}
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        weights[folder_name(tensor.name)] = torch.from_numpy(values.copy()).to(torch.bfloat16)
    safetensors.save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    return set(weights)


def _write_tokenizer(keys: dict[str, Any], folder: Path) -> None:
    ends: int = keys["tokenizer.ggml.eos_token_id"]
    pads: int = keys["tokenizer.ggml.padding_token_id"]
    library: Any = importlib.import_module("tokenizers")
    tokens: list[str] = keys["tokenizer.ggml.tokens"]
    kinds: list[int] = keys["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in keys["tokenizer.ggml.merges"]]
    added = [token for token, kind in zip(tokens, kinds, strict=True) if kind >= _CONTROL]
    control = {token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL}
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = library.Tokenizer(library.models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.normalizer = library.normalizers.NFC()
    tokenizer.pre_tokenizer = library.pre_tokenizers.Sequence(
        [
            library.pre_tokenizers.Split(library.Regex(_WORDS), behavior="isolated"),
            library.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = library.decoders.ByteLevel()
    tokenizer.add_tokens(
        [library.AddedToken(token, special=token in control, normalized=False) for token in added]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": tokens[ends],
            "pad_token": tokens[pads],
            "bos_token": None,
            "clean_up_tokenization_spaces": False,
            "model_max_length": keys["qwen2.context_length"],
            "chat_template": keys["tokenizer.chat_template"],
        },
    )


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
