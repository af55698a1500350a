"""Speeds through servers: each contender is a command; `vllm-mlx bench serve` asks it the same as the others."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import places

READY_SECONDS = 120
SLOTS = 8  # of llama.cpp's server
QUEUE = 64  # where two hundred come at once
LOAD_OPTIONS = "-XX:TieredStopAtLevel=1"  # of the load's JVM: its second compiler would take as long as all else it does


@dataclasses.dataclass(frozen=True)
class Load:
    """So many streams at once, and so many requests in all; what is 0 is as the options say."""

    streams: int
    requests: int
    name: str = ""
    warm_up: int = 0
    prompt: int = 0
    answer: int = 0
    shared: float = 0
    timeout: int = 900  # seconds, for a request
    meant: str = ""  # a failure that is the server's duty here

    def __post_init__(self):
        object.__setattr__(self, "name", self.name or str(self.streams))


USUAL = (
    Load(1, 6, warm_up=1),
    Load(SLOTS, 3 * SLOTS),
    # Mostly decoding: what streams share, where a prompt's tokens cost the same alone and among others.
    Load(1, 4, "1 talking", prompt=16, answer=256),
    Load(SLOTS, 2 * SLOTS, "8 talking", prompt=16, answer=256),
)
FIFTY = (*USUAL, Load(50, 100))
SLOW = (Load(1, 2), Load(SLOTS, SLOTS))  # for those that take a quarter of a minute for a request
# For those that take a quarter of a minute for a token: with the template a prompt is some 30 of them.
SLOWEST = (Load(SLOTS, SLOTS, "8 short", prompt=1, answer=4, timeout=3600),)
PREFIX = (
    Load(1, 4, "a cold prefix", prompt=1000, answer=8),
    # The first that comes with it fills the cache: it is a warm-up.
    Load(1, 8, "a cached prefix", prompt=1000, answer=8, shared=0.97, warm_up=2),
)
CROWD = (Load(200, 200, "200 clients", meant="HTTP 429"),)


def ours(options, path, *more):
    return [places.distribution(), "serve", path, "--threads", options.threads, *more], {}


def ours_batched(options, path, *more):
    """Keys and values in 16 bits, as llama.cpp's server has them."""
    return ours(options, path, "--continuous-batching", "--use-paged-cache", "--kv-bits", 16, *more)


def ours_crowded(options, path):
    return ours_batched(options, path, "--max-queue", QUEUE)


def llama(options, path):
    """llama.cpp's own server, with a slot for each stream."""
    threads = options.threads
    return [
        places.llama("llama-server"), "--model", path, "--parallel", SLOTS, "--ctx-size", SLOTS * 2048,
        "--threads", threads, "--threads-batch", threads,
    ], {}  # fmt: skip


def vllm_mlx(_, path, *more):
    return [places.python("vllm-mlx").with_name("vllm-mlx"), "serve", path, *more], {"HF_HUB_OFFLINE": "1"}


def vllm_mlx_batched(options, path):
    return vllm_mlx(options, path, "--continuous-batching", "--timeout", 3600)


def vllm_mlx_tuned(options, path):
    """The best that its users can do on a CPU: dense float32 weights, and OpenBLAS in place of the BLAS in MLX's wheel."""
    environment = places.python("vllm-mlx").parents[1]
    blas = sorted(environment.glob("lib/python*/site-packages/opencv_python.libs/libopenblas*"))
    if not blas:
        raise places.Failed("no OpenBLAS in its environment")
    command, variables = vllm_mlx_batched(options, path)
    return command, variables | {"LD_PRELOAD": str(blas[0]), "OPENBLAS_NUM_THREADS": str(options.threads)}


def measure(contender, loads, options, path):
    """Figures of a server under some loads, the commands that were run, and which requests failed."""
    command, variables = contender(options, path)
    port = free_port()
    command += ["--host", "127.0.0.1", "--port", port]
    figures, commands, failed = {}, [[f"{k}={v}" for k, v in variables.items()] + command], []
    with served(command, variables, port, options.on_cores) as process:
        # A seed each, or a load would ask what one before it has filled the cache with.
        for seed, load in enumerate(loads, 1):
            ask = [
                "env", f"VLLM_MLX_JAVA_OPTS={LOAD_OPTIONS}",
                places.distribution(), "bench", "serve", "--url", f"http://127.0.0.1:{port}", "--json", "-",
                "--concurrency", load.streams, "--requests", load.requests, "--warm-up", load.warm_up, "--timeout", load.timeout,
                "--prompt-tokens", load.prompt or options.prompt_tokens, "--max-tokens", load.answer or options.max_tokens,
                "--shared-prefix", load.shared, "--seed", seed,
            ]  # fmt: skip
            # It ends with 1 where a request failed; the figures say which and why.
            answer = places.run(["sh", "-c", '"$@" || [ $? -eq 1 ]', "sh", *ask])
            commands.append(ask)
            try:
                level = json.loads(answer)["levels"][0]
            except ValueError as e:
                raise places.Failed(places.complaint(answer) or "the load ended without figures") from e
            figures |= {f"{name} at {load.name}": value for name, value in flat(level)}
            failed += [f"{n} of {load.requests} at {load.name}: {kind}" for kind, n in level["errors"].items() if kind != load.meant]
        figures["peak"] = peak_bytes(process)
    return figures, [[str(part).replace(str(port), "PORT") for part in parts] for parts in commands], failed


def peak_bytes(process):
    """The most memory that the server had, or 0 where the system does not say."""
    try:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        return 0


def flat(level):
    if level["answered"] == 0:
        raise places.Failed(f"no request was answered: {level['errors']}")
    yield "tokens/s", level["tokens_per_second"]
    yield "slowest stream", level.get("slowest_stream_tokens_per_second", 0)
    yield "mean stream", level.get("mean_stream_tokens_per_second", 0)
    yield "slowest answer", level.get("slowest_answer_tokens_per_second", 0)
    yield "mean answer", level.get("mean_answer_tokens_per_second", 0)
    yield "first token", level["ttft_seconds"]["p50"]
    yield "gap", level["inter_token_seconds"]["p50"]
    yield "total p95", level["total_seconds"]["p95"]
    yield "tokens an answer", level["tokens"] / level["answered"]
    yield "cached", level["cached_tokens"] / max(1, level["prompt_tokens"])
    yield "answered", level["answered"]
    yield "refused", level["errors"].get("HTTP 429", 0)
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
            yield process
        finally:
            end(process)


def wait_until_ready(process, port, output):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            output.seek(0)
            raise places.Failed("did not start: " + places.complaint(output.read().decode(errors="replace")))
        if answers(port, "/v1/models") == 200 and answers(port, "/health") != 503:  # not all have the latter
            return
        time.sleep(0.2)
    raise places.Failed(f"not ready after {READY_SECONDS} s")


def answers(port, path):
    """The status, or None where nobody listens yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code
    except OSError:
        return None


def end(process):
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
            return
