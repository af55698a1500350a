"""Tiny checkpoints that need no file: every weight is a hash of the tensor's name and the element's place.

The Java tests hold the same rules (TinyCheckpoint), so both sides build the same checkpoint from the same line of
parity/cases.json and only mlx-lm's answers are committed. Every value is exact in float32, float16 and bfloat16.
"""

import json

import mlx.core as mx
import numpy as np

DTYPES = {"float32": mx.float32, "float16": mx.float16, "bfloat16": mx.bfloat16}


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def hashes(seed, name, count):
    """count 64-bit numbers: SplitMix64 from a start that depends on the seed and the name."""
    with np.errstate(over="ignore"):
        start = np.uint64(fnv1a(name)) ^ (np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15))
        z = start + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def signed(seed, name, shape, amplitude):
    """Multiples of amplitude / 128 in [-amplitude, amplitude)."""
    top = (hashes(seed, name, int(np.prod(shape))) >> np.uint64(56)).astype(np.float32)
    return ((top - 128) / 128 * np.float32(amplitude)).reshape(shape)


def around_one(seed, name, shape):
    """Sixteen steps from 0.75 to just below 1.25: the weights of a norm."""
    top = (hashes(seed, name, int(np.prod(shape))) >> np.uint64(60)).astype(np.float32)
    return (1 + (top - 8) / 32).reshape(shape)


def tokens(seed, count, vocab):
    return (hashes(seed, "tokens", count) % np.uint64(vocab)).astype(np.int32).tolist()


def weights(case):
    """Name -> array, as a checkpoint of this case holds them."""
    out = {}
    dtype = DTYPES[case["stored"]]
    config = case["config"]
    seed = case["seed"]
    quantization = config.get("quantization")

    def put(name, values):
        out[name] = mx.array(values).astype(dtype)

    def linear(path, rows, columns, bias=False, amplitude=0.25):
        plan = quantization and quantization.get(path, quantization)
        if plan:
            bits, group = plan["bits"], plan["group_size"]
            words = hashes(seed, path + ".weight", rows * columns * bits // 32) >> np.uint64(32)
            out[path + ".weight"] = mx.array(words.astype(np.uint32).reshape(rows, -1))
            groups = (rows, columns // group)
            step = amplitude / 2 ** (bits - 1) / 2
            put(path + ".scales", around_one(seed, path + ".scales", groups) * np.float32(step))
            low = -amplitude / 2 * (1 - 2**-bits if bits <= 3 else 1)  # about zero, and few enough digits
            put(path + ".biases", around_one(seed, path + ".biases", groups) * np.float32(low))
        else:
            put(path + ".weight", signed(seed, path + ".weight", (rows, columns), amplitude))
        if bias:
            put(path + ".bias", signed(seed, path + ".bias", (rows,), 0.25))

    def norm(path, size):
        put(path + ".weight", around_one(seed, path + ".weight", (size,)))

    hidden = config["hidden_size"]
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads", heads)
    head_dim = config.get("head_dim") or hidden // heads
    feed = config["intermediate_size"]
    family = config["model_type"]
    biased = config.get("attention_bias", False)
    linear("model.embed_tokens", config["vocab_size"], hidden, amplitude=0.125)
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        norm(at + "input_layernorm", hidden)
        norm(at + "post_attention_layernorm", hidden)
        linear(at + "self_attn.q_proj", heads * head_dim, hidden, biased or family == "qwen2", 0.5)
        linear(at + "self_attn.k_proj", kv_heads * head_dim, hidden, biased or family == "qwen2", 0.5)
        linear(at + "self_attn.v_proj", kv_heads * head_dim, hidden, biased or family == "qwen2")
        linear(at + "self_attn.o_proj", hidden, heads * head_dim, biased)
        if family == "qwen3":
            norm(at + "self_attn.q_norm", head_dim)
            norm(at + "self_attn.k_norm", head_dim)
        linear(at + "mlp.gate_proj", feed, hidden, config.get("mlp_bias", False))
        linear(at + "mlp.up_proj", feed, hidden, config.get("mlp_bias", False))
        linear(at + "mlp.down_proj", hidden, feed, config.get("mlp_bias", False))
    norm("model.norm", hidden)
    if not config["tie_word_embeddings"]:
        linear("lm_head", config["vocab_size"], hidden)
    return out


def write(case, folder):
    """The checkpoint as files that mlx-lm loads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(case["config"]))
    mx.save_safetensors(str(folder / "model.safetensors"), weights(case), {"format": "mlx"})
