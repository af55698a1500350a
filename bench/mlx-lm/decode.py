"""Decode speed of mlx-lm: median tokens/s over steps, greedy, one sequence.

    python decode.py FOLDER [PROMPT_TOKENS] [STEPS] [SECONDS]

Where a step takes seconds, decoding ends after three steps, or after so many seconds.
"""

import pathlib
import statistics
import sys
import time

import mlx.core as mx
from mlx_lm.generate import generate_step
from mlx_lm.utils import load_model

folder = sys.argv[1]
prompt_tokens = int(sys.argv[2]) if len(sys.argv) > 2 else 32
steps = int(sys.argv[3]) if len(sys.argv) > 3 else 48
seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 60

model, _ = load_model(pathlib.Path(folder))
prompt = mx.array([1 + i % 1000 for i in range(prompt_tokens)], mx.int32)
start = time.perf_counter()
times, ids = [], []
for token, _ in generate_step(prompt, model, max_tokens=steps + 1):
    now = time.perf_counter()
    times.append(now - start)
    start = now
    ids.append(int(token))
    if len(times) > 3 and sum(times[1:]) > seconds:
        break
print(
    f"mlx-lm prefill_tokens_per_s={prompt_tokens / times[0]:.2f}"
    f" decode_tokens_per_s={1 / statistics.median(times[1:]):.2f} ids={ids[:8]}"
)
