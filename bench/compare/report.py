"""From figures to Markdown."""

import pathlib
import statistics

BEGIN = "<!-- Written by bench/compare/run: what is between the marks is replaced. -->"
END = "<!-- The end of what bench/compare/run writes. -->"
SERVERS = {
    "llama.cpp": "llama.cpp's server, 8 slots",
    "vllm-mlx": "vllm-mlx",
    "vllm-mlx-batched": "vllm-mlx `--continuous-batching`",
    "vllm-mlx-tuned": "the same with float32 weights and OpenBLAS preloaded",
    "ours": "ours, engine simple",
    "ours-batched": "ours `--continuous-batching --use-paged-cache`",
}
NONE = "–"
BUSY = 0.05  # the share of the cores that other work may have before figures say more of it than of the engines


class Measured:
    """Figures by contender and name: the median or the best of the rounds."""

    def __init__(self, measured):
        self.runs, self.options, self.weights = measured["runs"], measured["options"], measured["weights"]
        self.all_rounds = {}
        for run in self.runs:
            for figure, value in run.get("figures", {}).items():
                self.all_rounds.setdefault((run["name"], figure), []).append(value)

    def __call__(self, name, figure):
        values = self.all_rounds.get((name, figure))
        if not values:
            return None
        if self.options["pick"] == "median":
            return statistics.median(values)
        return min(values) if figure.startswith(("first", "gap", "total", "failed")) else max(values)

    def limit(self, name, model):
        """Tokens/s of a decode that only waits for the memory, at the speed at which the contender's own runs read it."""
        speed, size = self(name, "bandwidth"), self.weights.get(model)
        return speed / size if speed and size else None

    def share(self, name, model):
        """Of the limit, what each run reached of its own."""
        size = self.weights.get(model)
        pairs = zip(self.all_rounds.get((name, "decode"), []), self.all_rounds.get((name, "bandwidth"), []))
        shares = [decode * size / bandwidth for decode, bandwidth in pairs] if size else []
        return statistics.median(shares) if shares else None


def ratio(a, b):
    return a / b if a is not None and b else None


def number(value, digits=None):
    if value is None:
        return NONE
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def header(*cells):
    return [row(*cells), "|" + "---|" * len(cells)]


def goals(m):
    """Every line of what is to be reached: the work, the bound, what was measured, and its unit."""
    llama, ours, together = "raw/llama.cpp/4bit", "raw/ours/4bit", "raw/ours-together/4bit"
    share = lambda model: m.share(f"raw/ours/{model}", model)
    yield "decode, 4-bit, of the memory's limit", 0.6, m.share(ours, "smollm2.gguf"), "%"
    yield "decode, 8-bit, of the memory's limit", 0.6, share("smollm2-8bit"), "%"
    yield "decode, bfloat16, of the memory's limit", 0.6, share("smollm2-bfloat16"), "%"
    yield "decode, Qwen3-0.6B's shape in 8-bit, of the memory's limit", 0.7, share("qwen3-8bit"), "%"
    yield "decode, 4-bit, to llama.cpp", 1, ratio(m(ours, "decode"), m(llama, "decode")), "x"
    yield "prefill of 512, 4-bit, to llama.cpp", 1, ratio(m(ours, "prefill 512"), m(llama, "prefill 512")), "x"
    prompt = f"prefill {m.options['mlx_lm_prompt']}"
    for what, model, bound in (
        ("4-bit (float16 scales)", "smollm2-4bit-half", 100),
        ("8-bit", "smollm2-8bit", 20),
        ("bfloat16", "smollm2-bfloat16", 5),
        ("Qwen3-0.6B's shape in 8-bit", "qwen3-8bit", 20),
    ):
        for work, figure in (("decode", "decode"), (prompt.replace(" ", " of "), prompt)):
            gained = ratio(m(f"raw/ours/{model}", figure), m(f"raw/mlx-lm/{model}", figure))
            yield f"{work}, {what}, to mlx-lm", bound, gained, "x"
    yield "decode of 8 together, 4-bit, to one", 3, ratio(m(together, "decode of 8"), m(together, "decode")), "x"
    speed = lambda server, streams: m(f"serve/{server}", f"tokens/s at {streams}")
    fifty = lambda figure: m("serve/ours-batched", f"{figure} at 50")
    eight, prefix = speed("ours-batched", 8), "serve/ours-prefix"
    yield "8 streams, to one stream", 3, ratio(eight, speed("ours-batched", 1)), "x"
    talking = speed("ours-batched", "8 talking")
    yield "the same with prompts of 16 and answers of 256", 3, ratio(talking, speed("ours-batched", "1 talking")), "x"
    yield "8 streams, to llama.cpp's server with 8 slots", 1.2, ratio(eight, speed("llama.cpp", 8)), "x"
    yield "the same with prompts of 16 and answers of 256", 1.2, ratio(talking, speed("llama.cpp", "8 talking")), "x"
    half = ratio(speed("ours-half", "8 short"), speed("vllm-mlx-half", "8 short"))
    yield "8 streams, to vllm-mlx --continuous-batching (float16 scales)", 50, half, "x"
    if speed("vllm-mlx-batched", 8) is not None:
        yield "the same with float32 scales, in which MLX is quickest", 50, ratio(eight, speed("vllm-mlx-batched", 8)), "x"
    yield "50 streams, to 8 streams", 1, ratio(speed("ours-batched", 50), eight), "x"
    yield "50 streams, the slowest to the mean from the first token", 0.5, ratio(fifty("slowest stream"), fifty("mean stream")), "x"
    yield "the same from the request on", 0.5, ratio(fifty("slowest answer"), fifty("mean answer")), "x"
    yield "50 streams, answered", 1, share_of(fifty("answered"), fifty("failed")), "%"
    # The bound is a tenth of the time, so ten times the speed.
    yield (
        "first token after 1,000 tokens, cold to cached", 10,
        ratio(m(prefix, "first token at a cold prefix"), m(prefix, "first token at a cached prefix")), "x",
    )  # fmt: skip
    yield "the same: cached tokens of the prompt, as the server says", 0.9, m(prefix, "cached at a cached prefix"), "%"
    crowd = lambda figure: m("serve/ours-crowded", f"{figure} at 200 clients")
    answered, refused, failed = crowd("answered"), crowd("refused"), crowd("failed")
    met = None if answered is None else answered + refused
    yield "200 clients at once, queue of 64: answered or told 429", 1, ratio(met, answered and answered + failed), "%"


def share_of(good, bad):
    return None if good is None else good / (good + bad)


def goal_table(m):
    lines = header("work", "at least", "here", "reached")
    for work, bound, value, unit in goals(m):
        scale, mark = (100, "%") if unit == "%" else (1, "x")
        here = NONE if value is None else f"{number(scale * value)}{mark}"
        reached = NONE if value is None else "yes" if value >= bound else "no"
        lines.append(row(work, f"{scale * bound:g}{mark}", here, reached))
    return lines


def raw_table(m):
    prompt = f"prefill {m.options['mlx_lm_prompt']}"
    figures = dict.fromkeys((prompt, "prefill 512", "decode", "decode of 8"))
    lines = header("weights", "engine", *figures, "limit of decode", "share of it")
    named = dict.fromkeys((run["name"], run["model"]) for run in m.runs if run["name"].startswith("raw/"))
    for name, model in sorted(named, key=lambda one: (list(m.weights).index(one[1]), "ours" in one[0])):
        cells = [m(name, figure) for figure in figures]
        limit, share = m.limit(name, model), m.share(name, model)
        engine = name.split("/")[1].replace("ours-together", "ours, batch")
        lines.append(
            row(model, engine, *map(number, cells), number(limit), NONE if share is None else f"{100 * share:.0f}%")
        )
    return lines


def served_table(m):
    lines = header(
        "streams", "server", "tokens/s", "slowest stream", "TTFT p50, ms", "gap p50, ms", "total p95, s",
        "tokens an answer", "failed", "ours to it",
    )  # fmt: skip
    for streams in (1, 8, 50):
        get = lambda name, figure: m(f"serve/{name}", f"{figure} at {streams}")
        best = max((get(name, "tokens/s") or 0 for name in ("ours", "ours-batched")), default=0)
        for name, title in SERVERS.items():
            if get(name, "tokens/s") is None:
                continue
            gained = NONE if name.startswith("ours") else f"{number(ratio(best or None, get(name, 'tokens/s')))}x"
            lines.append(
                row(
                    streams, title, number(get(name, "tokens/s")), number(get(name, "slowest stream")),
                    number(1000 * get(name, "first token")), number(1000 * get(name, "gap")),
                    number(get(name, "total p95")), number(get(name, "tokens an answer")), number(get(name, "failed"), 0), gained,
                )
            )  # fmt: skip
    return lines


def crowd_line(m):
    peak = m("serve/ours-crowded", "peak")
    if peak is None:
        return ""
    counts = [m("serve/ours-crowded", f"{figure} at 200 clients") for figure in ("answered", "refused")]
    return "Of 200 clients at once {:.0f} were answered and {:.0f} told 429; the server took {:.0f} MB at most.".format(*counts, peak / 1e6)


def spreads(m):
    """How far the rounds are apart at their worst: a busy machine shows."""
    apart = [(max(v) / min(v), name, figure) for (name, figure), v in m.all_rounds.items() if len(v) > 1 and min(v) > 0]
    apart = [one for one in apart if one[2] in ("decode", "prefill 512", "bandwidth")]
    others = [run["others"] for run in m.runs if "figures" in run and run["others"] is not None]
    lines = []
    if others:
        lines.append(f"Other work had {max(others):.1%} of the cores or less in every run that counts.")
        if max(others) > BUSY:
            lines.append("**That is too much: these figures try the script out, and compare nothing.**")
    if apart:
        worst, name, figure = max(apart)
        lines.append(f"The rounds differ most in {figure} of {name.removeprefix('raw/')}: by a factor of {worst:.2f}.")
    return [*lines, ""] if lines else []


def failures(measured):
    reasons = dict.fromkeys((run["name"], run["error"]) for run in measured["runs"] if "error" in run)
    reasons |= dict.fromkeys((run["name"], "requests failed: " + why) for run in measured["runs"] for why in run.get("failed", []))
    if not reasons:
        return []
    return ["What failed:", "", *(f"- {name}: {reason}" for name, reason in reasons), ""]


def commands(measured):
    done = dict.fromkeys(command for run in measured["runs"] for command in run.get("commands", []))
    return ["<details><summary>Commands</summary>", "", *(f"    {command}" for command in done), "", "</details>"]


def markdown(measured):
    m = Measured(measured)
    options = m.options
    return "\n".join(
        [
            BEGIN,
            "",
            "## Beside others",
            "",
            f"{measured['date']}, {measured['machine']}.",
            *(f"{line}." for line in measured["versions"]),
            f"{options['threads']} threads each, on the same cores, one contender after the other in {options['rounds']}"
            f" rounds, of which the {options['pick']} counts. Made by `bench/compare/run`.",
            "",
            "### What is to be reached",
            "",
            *goal_table(m),
            "",
            "The limit is a decode step that reads the checkpoint's file once, at the speed at which the same run of"
            " `bench model` read memory between its decodes. A prefill is compared with mlx-lm's at a length that mlx-lm can do in minutes.",
            "",
            "### Without a server, tokens/s",
            "",
            *raw_table(m),
            "",
            *spreads(m),
            "### Served",
            "",
            f"`vllm-mlx bench serve`, prompts of about {options['prompt_tokens']} tokens, answers of up to"
            f" {options['max_tokens']}; the load comes from the same machine. {crowd_line(m)}"
            " vllm-mlx serves the 4-bit weights with float32 scales, in which MLX is quickest.",
            "",
            *served_table(m),
            "",
            *failures(measured),
            *commands(measured),
            "",
            END,
        ]
    )


def insert(text, path: pathlib.Path):
    """Puts the text where the last one was, or at the end, and leaves all else alone."""
    old = path.read_text() if path.exists() else "# Results\n"
    before, begin, rest = old.partition(BEGIN)
    if begin:
        _, end, after = rest.partition(END)
        if not end:
            raise SystemExit(f"{path}: the mark of the end is missing: {END}")
    else:
        before, after = old.rstrip("\n") + "\n\n", "\n"
    path.write_text(before + text + after)
