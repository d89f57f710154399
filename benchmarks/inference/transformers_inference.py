"""Reads prompts and continues them greedily: python transformers_inference.py MODEL BATCH PRECISION THREADS. One JSON line.

The same prompts and lengths as lethe-inference.mjs. PRECISION: fp32 or bf16.
"""

import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM

folder, batch, precision, threads = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
PROMPT, NEW = 128, 128
torch.set_num_threads(threads)
dtype = torch.bfloat16 if precision == "bf16" else torch.float32
model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
vocab = model.config.vocab_size
ids = torch.tensor([[(b * 7919 + t * 104729 + 3) % vocab for t in range(PROMPT)] for b in range(batch)])
options = {"do_sample": False, "eos_token_id": None, "pad_token_id": 0, "attention_mask": torch.ones_like(ids)}


@torch.inference_mode()
def seconds(new):
    started = time.perf_counter()
    made = model.generate(ids, max_new_tokens=new, min_new_tokens=new, **options)
    assert made.shape[1] == PROMPT + new
    return time.perf_counter() - started


middle = lambda values: sorted(values)[len(values) // 2]
seconds(8)
reading = middle([seconds(1) for _ in range(7)])
whole = middle([seconds(NEW) for _ in range(5)])
print(
    json.dumps(
        {
            "who": f"transformers {precision}",
            "prompt": batch * PROMPT / reading,
            "decode": batch * (NEW - 1) / (whole - reading),
        }
    )
)
