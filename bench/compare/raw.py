"""Speeds without a server: each function takes options and the path of a model, and gives figures and commands."""

import json
import os
import re

import places


def ours(options, path):
    command = [
        places.distribution(), "bench", "model", path, "--json", "-", "--threads", options.threads,
        "--prompt-tokens", f"{options.mlx_lm_prompt},512", "--decode-tokens", options.steps, "--repeats", 3,
    ]  # fmt: skip
    answer = json.loads(places.run(command, preexec_fn=options.on_cores))
    figures = {f"prefill {p['tokens']}": p["tokens_per_second"] for p in answer["prefill"]}
    figures |= {
        "decode": answer["decode_tokens_per_second"],
        "bandwidth": answer["memory_bytes_per_second"],
        "weights": answer["weight_bytes"],
        "peak": answer["peak_bytes"],
    }
    return figures, [command]


def ours_together(options, path):
    """Batch 1 and batch 8 of one run, so that their ratio is of one moment."""
    command = [places.ROOT / "bench/decode-speed", path, 16, options.steps, 8]
    java = {"JAVA_OPTS": f"-Dthreads={options.threads}"}
    text = places.run(command, preexec_fn=options.on_cores, env=os.environ | java)
    one, eight = (float(speed) for speed in re.findall(r"decode_tokens_per_s=([\d.]+)", text))
    return {"decode": one, "decode of 8": eight}, [command]


def llama(options, path):
    command = [
        places.python("llama"), places.HERE / "llama_bench.py", path, "--threads", options.threads,
        "--prefill", 512, "--depth", 16, "--steps", options.steps, "--batch", 8, "--rounds", 3,
    ]  # fmt: skip
    answer = json.loads(places.run(command, preexec_fn=options.on_cores))
    figures = {
        "prefill 512": answer["prefill_tokens_per_s"]["median"],
        "decode": answer["decode_tokens_per_s"]["median"],
        "decode of 8": answer["batch_decode_tokens_per_s"]["median"],
    }
    return figures, [command]


def mlx_lm(options, path):
    command = [
        places.python("mlx"), places.ROOT / "bench/mlx-lm/decode.py", path,
        options.mlx_lm_prompt, options.steps, options.mlx_lm_seconds,
    ]  # fmt: skip
    text = places.run(command, preexec_fn=options.on_cores)
    prefill, decode = (float(speed) for speed in re.findall(r"tokens_per_s=([\d.]+)", text))
    return {f"prefill {options.mlx_lm_prompt}": prefill, "decode": decode}, [command]
