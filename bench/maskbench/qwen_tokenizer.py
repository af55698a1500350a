"""Makes a tokenizer.json of 151,646 tokens from the vocabulary that the dashscope package ships (qwen.tiktoken).

    pip download --no-deps dashscope && unzip -p dashscope-*.whl dashscope/resources/qwen.tiktoken > qwen.tiktoken
    python qwen_tokenizer.py qwen.tiktoken FOLDER

The file has tokens and their ranks; the merges that a tokenizer.json needs are found again by cutting each token with the ranks
below its own.
"""
import base64
import json
import pathlib
import sys

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SPLIT = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""


def byte_letters():
    """The letter that stands for each byte in byte-level BPE."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(256, 512))
    return [chr(byte if byte in plain else next(others)) for byte in range(256)]


def parts(token, ranks):
    """The two tokens that were merged last to make this one."""
    pieces = [token[i : i + 1] for i in range(len(token))]
    while len(pieces) > 2:
        pairs = [(ranks.get(a + b, len(ranks)), i) for i, (a, b) in enumerate(zip(pieces, pieces[1:]))]
        rank, i = min(pairs)
        if rank >= ranks[token]:
            return None
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
    return pieces


def main(source, folder):
    ranks = {}
    for line in pathlib.Path(source).read_text().splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    letters = byte_letters()
    spell = lambda token: "".join(letters[byte] for byte in token)
    merges = []
    for token in sorted(ranks, key=ranks.get):
        pair = parts(token, ranks) if len(token) > 1 else None
        if pair:
            merges.append([spell(pair[0]), spell(pair[1])])
    added = [
        {"id": len(ranks) + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for i, text in enumerate(SPECIAL)
    ]  # fmt: skip
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    tokenizer = {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, bytes_]},
        "post_processor": bytes_,
        "decoder": bytes_,
        "model": {"type": "BPE", "vocab": {spell(t): r for t, r in ranks.items()}, "merges": merges},
    }
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}))


if __name__ == "__main__":
    main(*sys.argv[1:])
