"""Prefill and decode speed of llama.cpp through its own C API: one sequence, no sampling, no HTTP.

A prefill is one llama_decode of the whole prompt with logits for its last token; a decode step is one llama_decode of
one token, after a prompt of --depth tokens. Median over the rounds, and over the steps. Prints one JSON object.
"""

import argparse
import ctypes
import json
import statistics
import time

import llama_cpp as api


def decode(context, tokens):
    """Appends the tokens to the sequence; returns the seconds until their logits are there."""
    array = (api.llama_token * len(tokens))(*tokens)
    start = time.perf_counter()
    code = api.llama_decode(context, api.llama_batch_get_one(array, len(tokens)))
    api.llama_synchronize(context)
    seconds = time.perf_counter() - start
    if code != 0:
        raise SystemExit(f"llama_decode: {code}")
    return seconds


def decode_rows(context, batch, rows, token, position):
    """One step of `rows` sequences together; returns its seconds."""
    batch.n_tokens = rows
    for row in range(rows):
        batch.token[row] = token
        batch.pos[row] = position
        batch.n_seq_id[row] = 1
        batch.seq_id[row][0] = row
        batch.logits[row] = 1
    start = time.perf_counter()
    code = api.llama_decode(context, batch)
    api.llama_synchronize(context)
    seconds = time.perf_counter() - start
    if code != 0:
        raise SystemExit(f"llama_decode: {code}")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prefill", type=int, default=512)
    parser.add_argument("--depth", type=int, default=32)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    api.llama_log_set(quiet, ctypes.c_void_p(0))
    api.llama_backend_init()
    model = api.llama_model_load_from_file(arguments.gguf.encode(), api.llama_model_default_params())
    if not model:
        raise SystemExit(f"cannot load {arguments.gguf}")
    settings = api.llama_context_default_params()
    settings.n_ctx = 4096
    settings.n_batch = settings.n_ubatch = max(512, arguments.prefill)
    settings.n_seq_max = arguments.batch
    settings.n_threads = settings.n_threads_batch = arguments.threads
    settings.kv_unified = False
    context = api.llama_init_from_model(model, settings)
    memory = api.llama_get_memory(context)
    prompt = [1 + i % 1000 for i in range(max(arguments.prefill, arguments.depth))]

    decode(context, prompt[: arguments.prefill])  # warm
    prefill, steps, together = [], [], []
    for _ in range(arguments.rounds):
        api.llama_memory_clear(memory, True)
        prefill.append(decode(context, prompt[: arguments.prefill]))
        api.llama_memory_clear(memory, True)
        decode(context, prompt[: arguments.depth])
        steps.append(statistics.median(decode(context, [100 + i]) for i in range(arguments.steps)))
        api.llama_memory_clear(memory, True)
        batch = api.llama_batch_init(arguments.batch, 0, 1)
        together.append(
            statistics.median(
                decode_rows(context, batch, arguments.batch, 100 + i, i) for i in range(arguments.steps)
            )
        )
        api.llama_batch_free(batch)

    def speeds(tokens, seconds):
        rounds = sorted(tokens / s for s in seconds)
        return {"median": round(statistics.median(rounds), 1), "rounds": [round(r, 1) for r in rounds]}

    print(
        json.dumps(
            {
                "engine": f"llama.cpp (llama-cpp-python {api.__version__})",
                "system": api.llama_print_system_info().decode().strip(" |"),
                "model": arguments.gguf.rsplit("/", 1)[-1],
                "threads": arguments.threads,
                "prefill_tokens": arguments.prefill,
                "prefill_tokens_per_s": speeds(arguments.prefill, prefill),
                "decode_tokens_per_s": speeds(1, steps),
                "batch": arguments.batch,
                "batch_decode_tokens_per_s": speeds(arguments.batch, together),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
