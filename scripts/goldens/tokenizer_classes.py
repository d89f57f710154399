"""What transformers builds from tokenizer_class: python scripts/goldens/tokenizer_classes.py

Needs transformers. Writes packages/data-pipeline/testing/goldens/tokenizer-classes.json: `files`, the pre-tokenizer and
normalizer of several kinds of tokenizer.json; `built`, the class that AutoTokenizer makes by model type and
tokenizer_class; `differing`, by that class and the kind of file, the texts on which its ids differ from the file's, or
null where it fails. It takes some minutes.
"""

import itertools
import json
import logging
import tempfile
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, trainers
from tokenizers import pre_tokenizers as words
from transformers import AutoTokenizer, PreTrainedTokenizerFast

GOLDENS = Path(__file__).parent.parent.parent / "packages" / "data-pipeline" / "testing" / "goldens"
NAMED = ["<s>", "</s>", "<unk>", "<|x|>"]
CORPUS = [
    "The quick brown fox jumps over the lazy dog. It's 12345 o'clock, isn't it? café naïve",
    "def f(x):\n    return x + 1\n\n\n\t# done  ",
    "hello world HELLO WORLD 2024-11-29 ab12cd",
    " leading space and trailing ",
    "中文字符 and русский текст 🫠",
] * 30
QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN.replace(r"\p{N}|", r"\p{N}{1,3}|")
TEXTS = ["The quick brown fox", " lead", "a  b   c", "12345 67", "a\n\n\nb\n  c", "cafe\u0301", "ab<|x|>cd", "ab <|x|> cd", "中文 字符", "IT'S It's", "end  ", "🫠x", "  def f(x):\n\treturn"]
CLASSES = [None, "LlamaTokenizer", "LlamaTokenizerFast", "CodeLlamaTokenizer", "GemmaTokenizer", "Qwen2Tokenizer", "GPT2Tokenizer", "GPT2TokenizerFast", "GPTNeoXTokenizerFast", "CohereTokenizerFast", "T5Tokenizer", "XLMRobertaTokenizer", "RobertaTokenizer", "BartTokenizer", "CodeGenTokenizer", "WhisperTokenizer", "BertTokenizer", "CLIPTokenizer", "OpenAIGPTTokenizer", "BloomTokenizerFast", "PreTrainedTokenizerFast", "PreTrainedTokenizer", "TokenizersBackend"]


def of_bytes(splits, normalizer=None):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = splits, decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    alphabet = words.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=NAMED, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def of_pieces(splits=None, normalizer=None):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if splits:
        tokenizer.pre_tokenizer = splits
    if normalizer:
        tokenizer.normalizer = normalizer
    specials = NAMED + [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=600, special_tokens=specials, show_progress=False, max_token_length=8)
    )
    plain = json.loads(tokenizer.to_str())
    plain["added_tokens"] = [token for token in plain["added_tokens"] if token["content"] in NAMED]
    return Tokenizer.from_str(json.dumps(plain))


def byte_level(**settings):
    return words.ByteLevel(**({"add_prefix_space": False, "use_regex": True} | settings))


def split(pattern):
    return words.Sequence([words.Split(Regex(pattern), "isolated"), byte_level(use_regex=False)])


def kinds():
    spaces = normalizers.Replace(" ", "▁")
    return {
        "metaspace": of_pieces(words.Metaspace(prepend_scheme="first", split=False)),
        "prepend": of_pieces(None, normalizers.Sequence([normalizers.Prepend("▁"), spaces])),
        "gemma": of_pieces(words.Split(" ", "merged_with_previous"), spaces),
        "gpt2": of_bytes(byte_level()),
        "gpt2 with a space before": of_bytes(byte_level(add_prefix_space=True)),
        "gpt2 in NFC": of_bytes(byte_level(), normalizers.NFC()),
        "digits": of_bytes(words.Sequence([words.Digits(individual_digits=True), byte_level()])),
        "llama3": of_bytes(split(LLAMA3)),
        "qwen2": of_bytes(split(QWEN), normalizers.NFC()),
        "qwen2 without NFC": of_bytes(split(QWEN)),
    }


def written(folder, tokenizer, config, model_type):
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if model_type:
        (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    return folder


def compared(folder):
    """The class that is built, and the texts on which it differs."""
    try:
        built = AutoTokenizer.from_pretrained(folder)
    except TypeError:
        return "fails", None
    plain = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    ids = lambda tokenizer, text: tokenizer(text, add_special_tokens=False)["input_ids"]
    return type(built).__name__, [text for text in TEXTS if ids(built, text) != ids(plain, text)]


def main():
    logging.disable(logging.WARNING)
    files, built, differing = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for kind, tokenizer in kinds().items():
            parts = json.loads(tokenizer.to_str())
            files[kind] = {"pre_tokenizer": parts["pre_tokenizer"], "normalizer": parts["normalizer"]}
            for model_type, name in itertools.product(("llama", "mistral", "qwen2", "qwen3", None), CLASSES):
                config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
                config |= {"tokenizer_class": name} if name else {}
                made, texts = compared(written(root / f"{kind}-{model_type}-{name}", tokenizer, config, model_type))
                if made != "fails":
                    built.setdefault(str(model_type), {})[str(name)] = made
                differing.setdefault(made if made != "fails" else str(name), {})[kind] = texts
    GOLDENS.mkdir(exist_ok=True)
    result = {"files": files, "built": built, "differing": differing}
    (GOLDENS / "tokenizer-classes.json").write_text(json.dumps(result, ensure_ascii=False) + "\n")
    print(len(differing), "classes")


if __name__ == "__main__":
    main()
