"""Answers one JSON request a line with what Python's `tokenizers` does; see PythonTokenizers.java.

{"load": path of a tokenizer.json}   or   {"gguf": path}   then
{"encode": [text, ...], "special": bool} -> [[id, ...], ...]
{"decode": [[id, ...], ...], "skip": bool} -> [text, ...]
"""

import json
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers


def smollm(path):
    """SmolLM2's tokenizer from the parts in its GGUF file, put together as it was published."""
    from gguf import GGUFReader

    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t, kind in zip(tokens, types) if kind == 3])
    return tokenizer


def answer(request, tokenizer):
    if "encode" in request:
        texts = tokenizer.encode_batch(request["encode"], add_special_tokens=request["special"])
        return [encoding.ids for encoding in texts]
    return tokenizer.decode_batch(request["decode"], skip_special_tokens=request["skip"])


def main():
    tokenizer = None
    for line in sys.stdin:
        request = json.loads(line)
        if "load" in request:
            tokenizer = Tokenizer.from_file(request["load"])
            tokenizer.no_truncation()
            tokenizer.no_padding()
            result = tokenizer.get_vocab_size(with_added_tokens=True)
        elif "gguf" in request:
            tokenizer = smollm(request["gguf"])
            result = tokenizer.get_vocab_size(with_added_tokens=True)
        else:
            result = answer(request, tokenizer)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
