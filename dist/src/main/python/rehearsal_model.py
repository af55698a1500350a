"""Writes a GGUF file of a model that says nothing: one layer of zeros, a byte-level vocabulary and a chat template.

The distribution rehearses a start with it, so it has what SmolLM2's file has: the architecture, packed weights, byte
pairs, a template. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""
import pathlib
import struct
import sys

UINT32, FLOAT32, STRING, ARRAY, INT32 = 4, 6, 8, 9, 5
F32, Q4_1 = 0, 3
ALIGNMENT = 32
HIDDEN, INNER, HEADS, CONTEXT = 64, 128, 2, 2048
CONTROL, NORMAL = 3, 1

TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "{{ '<|im_start|>system\\nAnswer briefly.<|im_end|>\\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + (message['content'] | trim) + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def byte_characters():
    """How byte-level vocabularies write each byte: itself if it prints, else a character past the bytes."""
    printing = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (chr(256 + i) for i in range(256))
    return [chr(b) if b in printing else next(others) for b in range(256)]


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind, v):
    if kind == STRING:
        return string(v)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f"}[kind], v)


def entry(key, kind, v):
    if isinstance(v, list):
        head = struct.pack("<IIQ", ARRAY, kind, len(v))
        return string(key) + head + b"".join(value(kind, each) for each in v)
    return string(key) + struct.pack("<I", kind) + value(kind, v)


def tensors(vocabulary):
    """Name, type and shape, the fastest dimension first."""
    layer = "blk.0."
    packed = {
        "token_embd.weight": (HIDDEN, vocabulary),
        layer + "attn_q.weight": (HIDDEN, HIDDEN),
        layer + "attn_k.weight": (HIDDEN, HIDDEN),
        layer + "attn_v.weight": (HIDDEN, HIDDEN),
        layer + "attn_output.weight": (HIDDEN, HIDDEN),
        layer + "ffn_gate.weight": (HIDDEN, INNER),
        layer + "ffn_up.weight": (HIDDEN, INNER),
        layer + "ffn_down.weight": (INNER, HIDDEN),
    }
    norms = ["output_norm.weight", layer + "attn_norm.weight", layer + "ffn_norm.weight"]
    return [(name, Q4_1, shape) for name, shape in packed.items()] + [(name, F32, (HIDDEN,)) for name in norms]


def size(kind, shape):
    values = 1
    for n in shape:
        values *= n
    return values // 32 * 20 if kind == Q4_1 else values * 4


def padded(data):
    return data + bytes(-len(data) % ALIGNMENT)


def file():
    alphabet = byte_characters()
    tokens = [*alphabet, "he", "ll", "<|im_start|>", "<|im_end|>"]
    end = len(tokens) - 1
    entries = [
        entry("general.architecture", STRING, "llama"),
        entry("llama.embedding_length", UINT32, HIDDEN),
        entry("llama.block_count", UINT32, 1),
        entry("llama.feed_forward_length", UINT32, INNER),
        entry("llama.attention.head_count", UINT32, HEADS),
        entry("llama.attention.head_count_kv", UINT32, HEADS),
        entry("llama.attention.layer_norm_rms_epsilon", FLOAT32, 1e-5),
        entry("llama.context_length", UINT32, CONTEXT),
        entry("llama.rope.freq_base", FLOAT32, 10000.0),
        entry("tokenizer.ggml.model", STRING, "gpt2"),
        entry("tokenizer.ggml.pre", STRING, "smollm"),
        entry("tokenizer.ggml.tokens", STRING, tokens),
        entry("tokenizer.ggml.token_type", INT32, [NORMAL] * (end - 1) + [CONTROL] * 2),
        entry("tokenizer.ggml.merges", STRING, ["h e", "l l"]),
        entry("tokenizer.ggml.bos_token_id", UINT32, end - 1),
        entry("tokenizer.ggml.eos_token_id", UINT32, end),
        entry("tokenizer.chat_template", STRING, TEMPLATE),
    ]
    described, data = b"", b""
    every = tensors(len(tokens))
    for name, kind, shape in every:
        described += string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data))
        data = padded(data + bytes(size(kind, shape)))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(every), len(entries))
    return padded(head + b"".join(entries) + described) + data


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file())
