"""Tokenizes a JSONL file with datasets.map and a fast tokenizer, and saves it: datasets_map.py FILE TOKENIZER OUT."""
import json
import os
import sys
import time

os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
import datasets
from tokenizers import Tokenizer

source, tokenizer_file, out = sys.argv[1:]
datasets.disable_caching()
datasets.disable_progress_bars()
tokenizer = Tokenizer.from_file(tokenizer_file)


def encode(batch):
    return {"input_ids": [encoding.ids for encoding in tokenizer.encode_batch_fast(batch["text"])]}


start = time.perf_counter()
loaded = datasets.load_dataset("json", data_files=source, split="train", cache_dir=out + "-cache")
mapped = loaded.map(encode, batched=True, batch_size=1000, remove_columns=loaded.column_names)
mapped.save_to_disk(out)
seconds = time.perf_counter() - start
tokens = sum(len(ids) for ids in mapped.with_format("numpy")["input_ids"])
print(json.dumps({"tokensPerSecond": tokens / seconds, "seconds": seconds, "tokens": tokens}))
