"""Speeds without a server: each function takes options and the path of a model, and gives figures and commands."""

import json
import os
import re
import statistics

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
    alone = [
        places.llama("llama-bench"), "-m", path, "-t", options.threads, "-p", 512, "-n", options.steps, "-r", 3, "-o", "json",
    ]  # fmt: skip
    figures = {}
    for test in json.loads(places.run(alone, preexec_fn=options.on_cores)):
        figures["prefill 512" if test["n_gen"] == 0 else "decode"] = statistics.median(test["samples_ts"])
    together = [
        places.llama("llama-batched-bench"), "-m", path, "-t", options.threads, "-c", 8 * (16 + options.steps),
        "-npp", 16, "-ntg", options.steps, "-npl", 8, "--output-format", "jsonl",
    ]  # fmt: skip
    lines = places.run(together, preexec_fn=options.on_cores).splitlines()
    figures["decode of 8"] = next(json.loads(line)["speed_tg"] for line in lines if line.startswith("{"))
    return figures, [alone, together]


def mlx_lm(options, path):
    command = [
        places.python("mlx"), places.ROOT / "bench/mlx-lm/decode.py", path,
        options.mlx_lm_prompt, options.steps, options.mlx_lm_seconds,
    ]  # fmt: skip
    text = places.run(command, preexec_fn=options.on_cores)
    prefill, decode = (float(speed) for speed in re.findall(r"tokens_per_s=([\d.]+)", text))
    return {f"prefill {options.mlx_lm_prompt}": prefill, "decode": decode}, [command]
