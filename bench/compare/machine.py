"""What the results were measured on, and with."""

import os
import pathlib
import platform

import places

INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp", "i8mm")
PACKAGES = {"vllm-mlx": ["vllm-mlx", "mlx-lm", "mlx"], "mlx": ["mlx-lm", "mlx"]}


def described():
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name, flags = processor()
    known = ", ".join(flag for flag in INSTRUCTIONS if flag in flags)
    return f"{name} ({known}), {cores} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def processor():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine(), []
    lines = dict(map(str.strip, line.split(":", 1)) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    return lines.get("model name", platform.machine()), (lines.get("flags") or lines.get("Features", "")).split()


def versions():
    found = [f"{places.run([places.distribution(), '--version']).strip()} ({commit()})"]
    for environment, packages in PACKAGES.items():
        asked = f"from importlib.metadata import version; print(*(f'{{p}} {{version(p)}}' for p in {packages}), sep=', ')"
        try:
            found.append(places.run([places.python(environment), "-c", asked]).strip())
        except places.Failed as e:
            found.append(f"{environment}: {places.shown([e])}")
    found.append(f"llama.cpp, its source from {(places.HERE / 'llama.txt').read_text().strip()}")
    return found


def commit():
    try:
        changed = places.run(["git", "-C", places.ROOT, "status", "--porcelain", "--untracked-files=no"]).strip()
        head = places.run(["git", "-C", places.ROOT, "rev-parse", "--short", "HEAD"]).strip()
    except places.Failed:
        return "no checkout"
    return head + (", changed" if changed else "")


def weight_bytes(name):
    """Bytes of a checkpoint's file, nearly all of which a decode step reads; None where it cannot be made."""
    # The GGUF holds a vocabulary too: the folder of the same weights in the same types says what the weights take.
    try:
        return (places.model("smollm2-4bit-half" if name == places.GGUF else name) / "model.safetensors").stat().st_size
    except (places.Failed, OSError):
        return None
