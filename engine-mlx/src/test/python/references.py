"""Writes parity/*.json: what mlx-lm answers for tiny checkpoints, and what its RoPE gives at far positions.

    $(testenv/venv mlx)/bin/python engine-mlx/src/test/python/references.py engine-mlx/src/test/resources/parity [NAME...]

Each file holds a case (config.json, seed, dtypes, prompt) and mlx-lm's answers to it: logits of the prompt's last
rows, and greedy tokens. The checkpoint itself is made from the seed by tiny.py here and by TinyCheckpoint in Java.
"""

import json
import pathlib
import sys
import tempfile

import mlx.core as mx
import numpy as np
import tiny
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.models.rope_utils import initialize_rope
from mlx_lm.utils import load_model

LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
YARN = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}
LINEAR = {"type": "linear", "factor": 2.5}


def config(family, **changes):
    base = {
        "model_type": family,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "intermediate_size": 96,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-5,
        "vocab_size": 211,
        "max_position_embeddings": 512,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
    }
    if family == "qwen3":
        base |= {"head_dim": 24}
    return base | changes


def quantized(family, bits, group, **changes):
    plan = {"bits": bits, "group_size": group}
    wide = {"hidden_size": 128, "intermediate_size": 256, "num_attention_heads": 4, "head_dim": 32}
    return config(family, **(wide | {"quantization": plan, "quantization_config": plan} | changes))


def cases():
    def case(name, config, stored="float32", computed="float32", prompt=23, greedy=12, **more):
        return {
            "name": name,
            "seed": tiny.fnv1a(name) % 1000,
            "stored": stored,
            "computed": computed,
            "prompt": prompt,
            "greedy": greedy,
            **more,
            "config": config,
        }

    for family in ("llama", "qwen2", "qwen3", "mistral"):
        yield case(f"{family}-float32", config(family))
        yield case(f"{family}-tied-bfloat16-as-float32", config(family, tie_word_embeddings=True), "bfloat16")
        yield case(f"{family}-bfloat16", config(family), "bfloat16", "bfloat16")
        yield case(f"{family}-float16", config(family), "float16", "float16")
        yield case(f"{family}-4bit-float16-as-float32", quantized(family, 4, 64), "float16")
    yield case("qwen3-tied-4bit", quantized("qwen3", 4, 32, tie_word_embeddings=True))
    yield case("llama-4bit-bfloat16", quantized("llama", 4, 64), "bfloat16", "bfloat16")
    for bits in (2, 3, 4, 5, 6, 8):
        for group in (32, 64, 128):
            yield case(f"llama-{bits}bit-group{group}", quantized("llama", bits, group), prompt=9, greedy=6)
    overrides = {"bits": 4, "group_size": 64} | {
        "model.embed_tokens": {"bits": 8, "group_size": 32},
        "model.layers.0.self_attn.v_proj": False,
        "model.layers.1.mlp.down_proj": {"bits": 6, "group_size": 128},
        "lm_head": {"bits": 5, "group_size": 64},
    }
    yield case("qwen3-overrides", quantized("qwen3", 4, 64, quantization=overrides))
    yield case("llama-biases", config("llama", attention_bias=True, mlp_bias=True))
    yield case("llama-one-kv-head", config("llama", num_key_value_heads=1, num_attention_heads=8))
    yield case("llama-all-kv-heads", config("llama", num_key_value_heads=4))
    yield case("llama-head-dim", config("llama", head_dim=40))
    yield case("llama-traditional-rope", config("llama", rope_traditional=True))
    yield case("llama-llama3-rope", config("llama", rope_scaling=LLAMA3), prompt=150)
    yield case("llama-linear-rope", config("llama", rope_scaling=LINEAR), prompt=150)
    yield case("qwen2-yarn-rope", config("qwen2", rope_scaling=YARN), prompt=150)
    yield case("qwen3-yarn-rope", config("qwen3", rope_scaling=YARN), prompt=150)
    window = {"sliding_window": 16}
    mixed = ["full_attention", "sliding_attention"]
    yield case("llama-some-layers-slide", config("llama", layer_types=mixed, **window), prompt=50)
    yield case("mistral-all-layers-slide", config("mistral", **window), prompt=50, all_layers_slide=True)
    narrow = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1}
    long = narrow | {"max_position_embeddings": 16384, "rope_scaling": LLAMA3}
    yield case("llama-long", config("llama", **long), prompt=8300, greedy=4)


def logits_of(model, ids, cache):
    rows = model(mx.array([ids], mx.int32), cache)[0].astype(mx.float32)
    mx.eval(rows)
    return np.array(rows)


def answer(case, folder):
    tiny.write(case, folder)
    model, _ = load_model(folder)
    if case["computed"] != case["stored"]:
        model.set_dtype(tiny.DTYPES[case["computed"]])
    prompt = tiny.tokens(case["seed"], case["prompt"], case["config"]["vocab_size"])
    if case.get("all_layers_slide"):
        return answer_sliding(model, prompt, case["greedy"])
    cache = make_prompt_cache(model)
    for start in range(0, len(prompt), 512):
        rows = logits_of(model, prompt[start : start + 512], cache)
    kept = rows[-2:]
    greedy = [int(rows[-1].argmax())]
    while len(greedy) < case["greedy"]:
        greedy.append(int(logits_of(model, greedy[-1:], cache)[-1].argmax()))
    return kept, greedy


def answer_sliding(model, prompt, count):
    """mlx-lm passes over Mistral's sliding_window: its own layers are told to slide, and run without a cache."""
    for layer in model.layers:
        layer.use_sliding = True
    model.model.swa_idx = 0
    ids, kept = list(prompt), None
    for _ in range(count):
        rows = logits_of(model, ids, None)
        kept = rows[-2:] if kept is None else kept
        ids.append(int(rows[-1].argmax()))
    return kept, ids[len(prompt) :]


def number(value):
    return float(f"{float(value):.8g}")


def ropes():
    scalings = [None, LINEAR, LLAMA3, YARN, YARN | {"beta_fast": 16, "beta_slow": 2, "mscale": 0.7}]
    for scaling in scalings:
        for traditional in (False, True):
            for offset in (0, 37, 8191, 131000):
                name = f"rope-{offset}"
                tokens, heads, dims = 3, 2, 16
                x = tiny.signed(offset, name, (tokens, heads, dims), 1.0)
                rope = initialize_rope(dims, 10000.0, traditional, scaling, 131072)
                y = rope(mx.array(x).transpose(1, 0, 2)[None], offset=offset)[0].transpose(1, 0, 2)
                yield {
                    "name": name,
                    "rope_theta": 10000.0,
                    "rope_traditional": traditional,
                    "rope_scaling": scaling,
                    "offset": offset,
                    "shape": [tokens, heads, dims],
                    "rotated": [number(v) for v in np.array(y).ravel()],
                }


def main():
    target = pathlib.Path(sys.argv[1])
    wanted = set(sys.argv[2:])
    target.mkdir(parents=True, exist_ok=True)
    for case in cases():
        if wanted and case["name"] not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            rows, greedy = answer(case, pathlib.Path(folder))
        case["answer"] = {"greedy": greedy, "logits": [[number(v) for v in row] for row in rows]}
        (target / f"{case['name']}.json").write_text(json.dumps(case) + "\n")
        print(case["name"], greedy, f"largest logit {np.abs(rows).max():.3g}", flush=True)
    if not wanted or "rope" in wanted:
        (target.parent / "rope.json").write_text(json.dumps(list(ropes())) + "\n")


main()
