"""SmolLM2 as MLX checkpoints, and mlx-lm's greedy answers to some prompts.

    python smollm2.py convert GGUF FOLDER [FORM]     an MLX folder that mlx-lm loads, and servers of MLX checkpoints
    python smollm2.py references GGUF OUT.json       smollm2.json of the Java tests
    python smollm2.py perplexity GGUF OUT.json       perplexity.json of the Java tests, of perplexity.txt beside it: minutes

The GGUF's Q4_1 blocks are MLX's affine quantization with 4 bits in groups of 32 (and the embedding's Q8_0 blocks that
with 8), so the 4-bit forms hold the very same weights:
    4bit        with float32 scales, in which MLX's ops are quickest on a CPU
    4bit-half   with float16 scales, as they are in the file
The others hold what these weights mean:
    float32, bfloat16    unpacked
    8bit                 rounded to bfloat16 and quantized by MLX in groups of 64, as published 8-bit checkpoints are
"""

import json
import pathlib
import sys
import tempfile
import time

import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.utils import load_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

PROMPTS = [
    "What is the capital of France?",
    "Write a haiku about the sea.",
    "List three prime numbers.",
    "def fibonacci(n):",
    "Translate to German: good morning",
    "Explain in one sentence why the sky is blue.",
]
TOKENS = 24
MODULES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
PARTS = ("weight", "scales", "biases")
CONTROL = 3  # a type of tokens in GGUF


def mlx_name(name):
    if name.startswith("blk."):
        _, layer, module, part = name.split(".")
        return f"model.layers.{layer}.{MODULES[module]}.{part}"
    return name.replace("token_embd", "model.embed_tokens").replace("output_norm", "model.norm")


def unpermute(rows, heads):
    """llama.cpp's files have the rows of q and k in the order of pairs (2i, 2i+1); MLX wants (i, i + dims/2)."""
    tail = rows.shape[1:]
    return rows.reshape(heads, -1, 2, *tail).swapaxes(1, 2).reshape(-1, *tail)


def convert(gguf, folder, form):
    arrays, meta = mx.load(str(gguf), return_metadata=True)
    get = lambda key: meta["llama." + key].item()
    config = {
        "model_type": "llama",
        "hidden_size": get("embedding_length"),
        "num_hidden_layers": get("block_count"),
        "intermediate_size": get("feed_forward_length"),
        "num_attention_heads": get("attention.head_count"),
        "num_key_value_heads": get("attention.head_count_kv"),
        "rms_norm_eps": round(get("attention.layer_norm_rms_epsilon"), 12),
        "vocab_size": get("vocab_size"),
        "max_position_embeddings": get("context_length"),
        "rope_theta": get("rope.freq_base"),
        "tie_word_embeddings": True,
    }
    weights = {}
    for name, value in arrays.items():
        if ".attn_q." in name:
            value = unpermute(value, config["num_attention_heads"])
        if ".attn_k." in name:
            value = unpermute(value, config["num_key_value_heads"])
        if value.dtype != mx.uint32:
            value = value.astype(mx.float16 if form == "4bit-half" else mx.float32)
        weights[mlx_name(name)] = value
    if form.startswith("4bit"):
        config["quantization"] = {"bits": 4, "group_size": 32}
        for path, (words, scales, _) in packed(weights):
            if packed_bits(words, scales) != 4:
                config["quantization"][path] = {"bits": packed_bits(words, scales), "group_size": 32}
    else:
        unpack(weights)
    if form in ("bfloat16", "8bit"):
        weights = {name: value.astype(mx.bfloat16) for name, value in weights.items()}
    if form == "8bit":
        config["quantization"] = {"bits": 8, "group_size": 64}
        for name in [n for n, value in weights.items() if value.ndim == 2]:
            path = name.removesuffix(".weight")
            parts = mx.quantize(weights[name], group_size=64, bits=8)
            weights.update(zip((f"{path}.{part}" for part in PARTS), parts))
    folder.mkdir(parents=True, exist_ok=True)
    config["eos_token_id"] = int(meta["tokenizer.ggml.eos_token_id"].item())
    (folder / "config.json").write_text(json.dumps(config))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    save_tokenizer(gguf, folder)


def packed(weights):
    """The path and the parts of every packed matrix."""
    paths = [name.removesuffix(".scales") for name in weights if name.endswith(".scales")]
    return [(path, [weights[f"{path}.{part}"] for part in PARTS]) for path in paths]


def packed_bits(words, scales):
    return words.shape[1] // scales.shape[1]  # a group of 32 takes a word per bit


def unpack(weights):
    for path, (words, scales, biases) in packed(weights):
        weights[path + ".weight"] = mx.dequantize(words, scales, biases, 32, packed_bits(words, scales))
        del weights[path + ".scales"], weights[path + ".biases"]


def tokenizer(gguf):
    _, meta = mx.load(str(gguf), return_metadata=True)
    vocabulary = {token: i for i, token in enumerate(meta["tokenizer.ggml.tokens"])}
    merges = [tuple(merge.split(" ")) for merge in meta["tokenizer.ggml.merges"]]
    made = Tokenizer(models.BPE(vocabulary, merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    types = meta["tokenizer.ggml.token_type"].tolist()
    made.add_special_tokens([token for token, kind in zip(meta["tokenizer.ggml.tokens"], types) if kind == CONTROL])
    return made


def save_tokenizer(gguf, folder):
    _, meta = mx.load(str(gguf), return_metadata=True)
    token = lambda which: meta["tokenizer.ggml.tokens"][meta[f"tokenizer.ggml.{which}_token_id"].item()]
    tokenizer(gguf).save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": token("bos"),
        "eos_token": token("eos"),
        "chat_template": meta["tokenizer.chat_template"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def greedy(model, prompt):
    cache = make_prompt_cache(model)
    ids, out, margins, first = prompt, [], [], None
    while len(out) < TOKENS:
        row = model(mx.array([ids], mx.int32), cache)[0, -1].astype(mx.float32)
        mx.eval(row)
        row = np.array(row)
        first = row if first is None else first
        top = np.sort(row)[-2:]
        ids = [int(row.argmax())]
        out += ids
        margins.append(float(top[1] - top[0]))
    return out, margins, first


def references(gguf, out):
    words = tokenizer(gguf)
    answers = []
    for text in PROMPTS:
        chat = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
        answers.append({"text": text, "prompt": words.encode(chat).ids, "greedy": {}})
    for form in ("float32", "4bit", "4bit-half"):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            convert(gguf, folder, form)
            model, _ = load_model(folder)
            for answer in answers[: 1 if form == "4bit-half" else None]:
                start = time.time()
                tokens, margins, logits = greedy(model, answer["prompt"])
                answer["greedy"][form] = tokens
                if form == "float32":
                    # Every 97th logit of the first new token's row: enough to see a shift, small enough to keep.
                    answer["logits"] = [float(f"{v:.7g}") for v in logits[::97]]
                print(form, f"{time.time() - start:.0f} s", f"closest {min(margins):.4f}", repr(words.decode(tokens)))
                sys.stdout.flush()
    out.write_text(json.dumps({"prompts": answers}) + "\n")


def float32_model(gguf, form):
    """mlx-lm's model of a form's weights, all unpacked to float32: so that only dense float32 ops compute."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        convert(gguf, folder, form)
        weights = mx.load(str(folder / "model.safetensors"))
        config = json.loads((folder / "config.json").read_text())
        plan = config.pop("quantization", {})
        for path, parts in packed(weights):
            how = plan.get(path, plan)
            words, scales, biases = parts[0], *(part.astype(mx.float32) for part in parts[1:])
            weights[path + ".weight"] = mx.dequantize(words, scales, biases, how["group_size"], how["bits"])
            del weights[path + ".scales"], weights[path + ".biases"]
        weights = {name: value.astype(mx.float32) for name, value in weights.items()}
        mx.eval(weights)
        mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
        (folder / "config.json").write_text(json.dumps(config))
        model, _ = load_model(folder)
        return model


def perplexity(gguf, out):
    """What each token of the text costs, in nats, after all those before it; the sums are in float64."""
    ids = tokenizer(gguf).encode(out.with_suffix(".txt").read_text()).ids
    costs = {}
    for form in ("4bit", "8bit", "bfloat16"):
        logits = float32_model(gguf, form)(mx.array([ids[:-1]], mx.int32))[0]
        rows = np.array(logits, np.float64)
        rows -= rows.max(axis=1, keepdims=True)
        cost = np.log(np.exp(rows).sum(axis=1)) - rows[np.arange(len(rows)), ids[1:]]
        costs[form] = [round(float(c), 4) for c in cost]
        print(form, f"{len(cost)} tokens, perplexity {np.exp(cost.mean()):.4f}", flush=True)
    out.write_text(json.dumps({"ids": ids, "costs": costs}) + "\n")


def main():
    command, gguf, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if command == "convert":
        convert(gguf, out, sys.argv[4] if len(sys.argv) > 4 else "4bit")
    elif command == "perplexity":
        perplexity(gguf, out)
    else:
        references(gguf, out)


main()
