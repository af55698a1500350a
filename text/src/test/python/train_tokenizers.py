"""Makes the small tokenizers of src/test/resources/tokenizer anew, one of each kind that models are published with.

    python train_tokenizers.py ../resources/tokenizer

Needs what testenv/text.txt pins. The corpus is made from a seed, so the files come out the same.
"""

import json
import random
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

WORDS = {
    "latin": "the quick brown fox jumps over lazy dogs and don't they're I'll HelloWorld camelCase naïve café straße "
    "Ünïcödé ångström señor garçon Đông Việt łódź".split(),
    "cyrillic": "быстрая лиса прыгает через ленивую собаку Привет мир".split(),
    "greek": "γρήγορη αλεπού πηδάει Καλημέρα κόσμε".split(),
    "hebrew": "שלום עולם השועל המהיר".split(),
    "arabic": "مرحبا بالعالم الثعلب السريع".split(),
    "hindi": "नमस्ते दुनिया तेज लोमड़ी".split(),
    "thai": "สวัสดีชาวโลก จิ้งจอก".split(),
    "han": "你好世界 敏捷的棕色狐狸 跳过了懒狗 漢字".split(),
    "kana": "こんにちは世界 すばやい キツネ ひらがな カタカナ".split(),
    "hangul": "안녕하세요 세계 빠른 갈색 여우".split(),
    "emoji": "😀 😃🎉 👨‍👩‍👧 🇬🇧 👍🏽 ❤️".split(),
    "code": ["def f(x):", "return x + 1", "    if (a != b) {", "\tfor i in range(10):", "};", "=>", "//", '"key": 12345,'],
    "numbers": "0 1 22 333 4444 55555 3.14159 1,000,000 ½ ² ٣".split(),
}
SPACES = [" ", " ", " ", " ", "  ", "\n", "\n\n", "\t", "    "]


def corpus(lines=4000, seed=20240229):
    rng = random.Random(seed)
    kinds = sorted(WORDS)
    for _ in range(lines):
        words = WORDS[rng.choice(kinds)]
        line = ""
        for _ in range(rng.randrange(3, 14)):
            line += rng.choice(words) + rng.choice(["", "", "", ",", ".", "!"]) + rng.choice(SPACES)
        yield line


CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"


def cl100k(numbers):
    return (
        CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|" + numbers + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


def splits(*patterns):
    steps = [pre_tokenizers.Split(Regex(p), "isolated") for p in patterns]
    return pre_tokenizers.Sequence(steps + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def byte_level(size, special, pre=None, normalizer=None, ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre or pre_tokenizers.ByteLevel(add_prefix_space=False)
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def gpt2():
    tokenizer = byte_level(1600, ["<|endoftext|>"])
    return tokenizer, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}


def llama3():
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
    tokenizer = byte_level(1800, special, splits(cl100k(r"\p{N}{1,3}")), ignore_merges=True)
    # A token that no merge makes: taken whole all the same, since merges are ignored.
    root = json.loads(tokenizer.to_str())
    root["model"]["vocab"]["Ġunmergeable"] = max(root["model"]["vocab"].values()) + 1
    tokenizer = Tokenizer.from_str(json.dumps(root))
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single="<|begin_of_text|> $A",
                pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                special_tokens=[("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))],
            ),
        ]
    )
    # As published: the base model's end is declared, the turn's end is only marked special.
    return tokenizer, {
        "bos_token": "<|begin_of_text|>",
        "eos_token": "<|end_of_text|>",
        "clean_up_tokenization_spaces": True,
    }


def qwen2():
    tokenizer = byte_level(1800, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], splits(cl100k(r"\p{N}")), normalizers.NFC())
    tokenizer.add_tokens(
        [
            AddedToken("<think>", normalized=False),
            AddedToken("</think>", normalized=False),
            AddedToken("<tool call>", normalized=False),
            AddedToken("left", lstrip=True, normalized=False),
            AddedToken("right", rstrip=True, normalized=False),
            AddedToken("alone", single_word=True, normalized=False),
            AddedToken("Å", normalized=True),
        ]
    )
    return tokenizer, {
        "eos_token": {"content": "<|im_end|>", "special": True},
        "pad_token": "<|endoftext|>",
        "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
    }


def deepseek():
    special = ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>"]
    marks = (
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
        r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    return byte_level(1600, special, splits(r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", marks)), {
        "bos_token": special[0],
        "eos_token": special[1],
    }


BYTES = [f"<0x{b:02X}>" for b in range(256)]


def sentencepiece(normalizer, pre, decoder):
    """BPE over characters with a token for each byte. Words are apart only while merges are learned."""
    special = ["<unk>", "<s>", "</s>"]
    learner = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    learner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer = trainers.BpeTrainer(vocab_size=1700, special_tokens=special + BYTES, limit_alphabet=200, show_progress=False)
    learner.train_from_iterator(corpus(), trainer)
    root = json.loads(learner.to_str())
    root["added_tokens"] = [token for token in root["added_tokens"] if token["content"] in special]
    root["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(root))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre:
        tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoder
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    return tokenizer


SPM_CONFIG = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def llama2():
    normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return sentencepiece(normalizer, None, decoder), SPM_CONFIG


def mistral():
    pre = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return sentencepiece(None, pre, decoder), SPM_CONFIG


def gemma():
    decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    pre = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer = sentencepiece(normalizers.Replace(" ", "▁"), pre, decoder)
    tokenizer.add_special_tokens(["<start_of_turn>", "<end_of_turn>"])
    return tokenizer, SPM_CONFIG


def metaspace():
    pre = pre_tokenizers.Metaspace(prepend_scheme="always")
    return sentencepiece(None, pre, decoders.Metaspace(prepend_scheme="always")), SPM_CONFIG


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=1400, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer, {**SPM_CONFIG, "clean_up_tokenization_spaces": True}


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        corpus(), trainers.WordPieceTrainer(vocab_size=1400, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # A length that was set while training must not cut anybody's prompt.
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]", length=20)
    return tokenizer, {"unk_token": "[UNK]", "sep_token": "[SEP]", "cls_token": "[CLS]", "pad_token": "[PAD]"}


def suffix():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.BPEDecoder()
    trainer = trainers.BpeTrainer(
        vocab_size=1400, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer, {"unk_token": "<unk>"}


def wordlevel():
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(
        corpus(), trainers.WordLevelTrainer(vocab_size=200, special_tokens=["<unk>"], show_progress=False)
    )
    return tokenizer, {"unk_token": "<unk>"}


def main(folder):
    for make in (gpt2, llama3, qwen2, deepseek, llama2, mistral, gemma, metaspace, unigram, wordpiece, suffix, wordlevel):
        tokenizer, config = make()
        target = Path(folder) / make.__name__
        target.mkdir(parents=True, exist_ok=True)
        text = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
        (target / "tokenizer.json").write_text(text + "\n", encoding="utf-8")
        (target / "tokenizer_config.json").write_text(
            json.dumps(config, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main(sys.argv[1])
