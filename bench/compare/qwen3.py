"""Writes an 8-bit checkpoint of Qwen3-0.6B's shape with random weights, the same for the same seed.

    python qwen3.py FOLDER TOKENIZER_FOLDER [SEED]

What it says is noise, and how fast it says it is what the real one's speed would be. The tokenizer is another model's:
any that has fewer tokens does.
"""

import json
import pathlib
import shutil
import sys

import mlx.core as mx

CONFIG = {
    "model_type": "qwen3",
    "hidden_size": 1024,
    "num_hidden_layers": 28,
    "intermediate_size": 3072,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "rms_norm_eps": 1e-6,
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
    "rope_theta": 1000000.0,
    "tie_word_embeddings": True,
    "quantization": {"bits": 8, "group_size": 64},
}


def shapes():
    """Every matrix of the model, by its path."""
    hidden, inner, dims = CONFIG["hidden_size"], CONFIG["intermediate_size"], CONFIG["head_dim"]
    queries, keys = CONFIG["num_attention_heads"] * dims, CONFIG["num_key_value_heads"] * dims
    yield "model.embed_tokens", (CONFIG["vocab_size"], hidden)
    for layer in range(CONFIG["num_hidden_layers"]):
        of = f"model.layers.{layer}."
        yield of + "self_attn.q_proj", (queries, hidden)
        yield of + "self_attn.k_proj", (keys, hidden)
        yield of + "self_attn.v_proj", (keys, hidden)
        yield of + "self_attn.o_proj", (hidden, queries)
        yield of + "mlp.gate_proj", (inner, hidden)
        yield of + "mlp.up_proj", (inner, hidden)
        yield of + "mlp.down_proj", (hidden, inner)


def norms():
    yield "model.norm", CONFIG["hidden_size"]
    for layer in range(CONFIG["num_hidden_layers"]):
        of = f"model.layers.{layer}."
        yield of + "input_layernorm", CONFIG["hidden_size"]
        yield of + "post_attention_layernorm", CONFIG["hidden_size"]
        yield of + "self_attn.q_norm", CONFIG["head_dim"]
        yield of + "self_attn.k_norm", CONFIG["head_dim"]


def main():
    folder, tokenizer = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    key = mx.random.key(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    weights = {}
    for path, shape in shapes():
        key, own = mx.random.split(key)
        dense = (0.02 * mx.random.normal(shape, key=own)).astype(mx.bfloat16)
        parts = mx.quantize(dense, **{k: CONFIG["quantization"][k] for k in ("group_size", "bits")})
        mx.eval(parts)
        weights.update(zip((f"{path}.{part}" for part in ("weight", "scales", "biases")), parts))
    for path, size in norms():
        weights[path + ".weight"] = mx.ones(size, mx.bfloat16)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)


main()
