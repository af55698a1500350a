"""Where things are, and how they are made: the distribution, environments, checkpoints."""

import hashlib
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "bench/compare"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "vllm-mlx/bench"
LAUNCHER = ROOT / "vllm-mlx"
CONVERTER = ROOT / "engine-mlx/src/test/python/smollm2.py"
QWEN3 = HERE / "qwen3.py"
GGUF = "smollm2.gguf"
FORMS = ("4bit-half", "4bit", "8bit", "bfloat16", "float32")


class Failed(Exception):
    """Why a contender has no figures, in a line."""


def run(command, timeout=3600, **options):
    """What a command prints; if it fails, the end of what it complained of."""
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=timeout, check=False, **options
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Failed(str(e)) from e
    if done.returncode != 0:
        raise Failed(complaint(done.stderr or done.stdout) or f"{command[0]} ended with {done.returncode}")
    return done.stdout


def complaint(text):
    """The end of what a program said before it failed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-2:])[:400]


def distribution():
    """The launcher of the built distribution: it becomes the server, so that ending it ends the server."""
    run([LAUNCHER, "--version"])
    return ROOT / "dist/target/vllm-mlx/bin/vllm-mlx"


def python(environment):
    """The Python of an environment: vllm-mlx, or mlx (the one that the tests' references are made with)."""
    maker = [ROOT / "testenv/venv"] if environment == "mlx" else [HERE / "environment"]
    return pathlib.Path(run([*maker, environment]).strip()) / "bin/python"


def llama(program):
    """A program of llama.cpp's own."""
    return pathlib.Path(run([HERE / "llama"], timeout=3 * 3600).strip()) / program


def model(name):
    """The path of a model: smollm2.gguf, smollm2-FORM, or qwen3-8bit; made on first use."""
    if name == GGUF:
        return pathlib.Path(run([distribution(), "download"]).strip().splitlines()[-1])
    if name == "qwen3-8bit":
        tokenizer = model("smollm2-4bit")
        return folder(name, QWEN3, lambda new: [python("mlx"), QWEN3, new, tokenizer])
    form = name.removeprefix("smollm2-")
    return folder(name, CONVERTER, lambda new: [python("mlx"), CONVERTER, "convert", model(GGUF), new, form])


def folder(name, script, command):
    """A folder that a script makes; anew when the script is another."""
    made, stamp = CACHE / name, CACHE / name / "made-by.txt"
    maker = hashlib.sha256(script.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != maker:
        new = CACHE / (name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        run(command(new))
        (new / stamp.name).write_text(maker)
        shutil.rmtree(made, ignore_errors=True)
        new.rename(made)
    return made


def shown(command):
    """A command as the results show it, without the paths of this machine."""
    text = " ".join(str(part) for part in command)
    return text.replace(f"{ROOT}/", "").replace(str(pathlib.Path.home()), "~")
