"""Speeds through servers: each contender is a command; `vllm-mlx bench serve` asks it the same as the others."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import places

READY_SECONDS = 120


def ours(options, path, *more):
    return [places.distribution(), "serve", path, "--threads", options.threads, *more], {}


def ours_batched(options, path):
    return ours(options, path, "--continuous-batching")


def llama(options, path):
    threads = options.threads
    return [
        places.python("llama"), "-m", "llama_cpp.server", "--model", path, "--n_ctx", 4096,
        "--n_threads", threads, "--n_threads_batch", threads,
        "--interrupt_requests", "false",  # by default a new request cuts the one before it off
    ], {}  # fmt: skip


def vllm_mlx(_, path, *more):
    return [places.python("vllm-mlx").with_name("vllm-mlx"), "serve", path, *more], {"HF_HUB_OFFLINE": "1"}


def vllm_mlx_batched(options, path):
    return vllm_mlx(options, path, "--continuous-batching")


def vllm_mlx_tuned(options, path):
    """The best that its users can do on a CPU: dense float32 weights, and OpenBLAS in place of the BLAS in MLX's wheel."""
    environment = places.python("vllm-mlx").parents[1]
    blas = sorted(environment.glob("lib/python*/site-packages/opencv_python.libs/libopenblas*"))
    if not blas:
        raise places.Failed("no OpenBLAS in its environment")
    command, variables = vllm_mlx_batched(options, path)
    return command, variables | {"LD_PRELOAD": str(blas[0]), "OPENBLAS_NUM_THREADS": str(options.threads)}


def measure(contender, options, path):
    """Figures of a server under load, the commands that were run, and which requests failed."""
    command, variables = contender(options, path)
    port = free_port()
    command += ["--host", "127.0.0.1", "--port", port]
    with served(command, variables, port, options.on_cores):
        load = [
            places.distribution(), "bench", "serve", "--url", f"http://127.0.0.1:{port}", "--json", "-",
            "--concurrency", options.concurrency, "--requests", options.requests, "--warm-up", 1, "--timeout", 900,
            "--prompt-tokens", options.prompt_tokens, "--max-tokens", options.max_tokens,
        ]  # fmt: skip
        # It ends with 1 where a request failed; the figures say which and why.
        answer = places.run(["sh", "-c", '"$@" || [ $? -eq 1 ]', "sh", *load])
    try:
        levels = json.loads(answer)["levels"]
    except ValueError as e:
        raise places.Failed(places.complaint(answer) or "the load ended without figures") from e
    shown = [[f"{k}={v}" for k, v in variables.items()] + command, load]
    shown = [[str(part).replace(str(port), "PORT") for part in parts] for parts in shown]
    figures = {f"{name} at {level['concurrency']}": value for level in levels for name, value in flat(level)}
    return figures, shown, [f"{n} of {options.requests} at {l['concurrency']}: {kind}" for l in levels for kind, n in l["errors"].items()]


def flat(level):
    if level["answered"] == 0:
        raise places.Failed(f"no request was answered: {level['errors']}")
    yield "tokens/s", level["tokens_per_second"]
    yield "slowest stream", level.get("slowest_stream_tokens_per_second", 0)
    yield "first token", level["ttft_seconds"]["p50"]
    yield "gap", level["inter_token_seconds"]["p50"]
    yield "total p95", level["total_seconds"]["p95"]
    yield "tokens an answer", level["tokens"] / level["answered"]
    yield "failed", level["failed"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def served(command, variables, port, on_cores):
    """A server in a process group of its own, which ends with the block."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=output, env=os.environ | variables,
            preexec_fn=on_cores, start_new_session=True,
        )  # fmt: skip
        try:
            wait_until_ready(process, port, output)
            yield
        finally:
            end(process)


def wait_until_ready(process, port, output):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            output.seek(0)
            raise places.Failed("did not start: " + places.complaint(output.read().decode(errors="replace")))
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5):
                return
        time.sleep(0.2)
    raise places.Failed(f"not ready after {READY_SECONDS} s")


def end(process):
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
            return
