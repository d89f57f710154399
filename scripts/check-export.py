"""Checks an exported model folder against Hugging Face transformers.

    lethe score --model DIR --in texts.jsonl --out scores.jsonl
    python scripts/check-export.py --model DIR --scores scores.jsonl

Opens DIR in transformers, scores the same ids and compares: lines of the scores are {"ids": [...], "logprobs":
[null, ...]}, natural logarithms. Prints the largest |difference| / largest |logprob|; exits 1 when it exceeds
--tolerance or anything is amiss. Needs torch and transformers.
"""

import argparse
import json
import sys

import torch
from transformers import AutoModelForCausalLM


def read_scores(file):
    """Yields (line number, ids, logprobs), checking the layout."""
    with open(file, encoding="utf8") as lines:
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            ids, logprobs = row["ids"], row["logprobs"]
            if len(ids) != len(logprobs) or (ids and logprobs[0] is not None):
                sys.exit(f"{file}:{number}: expected one logprob per id, the first null")
            yield number, ids, logprobs


@torch.no_grad()
def expected_logprobs(model, ids):
    """Log-probabilities of ids[1:], each given those before it."""
    logits = model(torch.tensor([ids])).logits[0, :-1].double()
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="the exported folder")
    parser.add_argument("--scores", required=True, help="what `lethe score` wrote")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    arguments = parser.parse_args()
    model, loading = AutoModelForCausalLM.from_pretrained(
        arguments.model, dtype=torch.float32, local_files_only=True, output_loading_info=True
    )
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if loading.get(kind):
            sys.exit(f"{arguments.model}: {kind}: {sorted(loading[kind])}")
    model.eval()
    largest_difference, largest_value, worst, num_tokens = 0.0, 0.0, "", 0
    for number, ids, logprobs in read_scores(arguments.scores):
        if len(ids) < 2:
            continue
        expected, received = expected_logprobs(model, ids), torch.tensor(logprobs[1:], dtype=torch.float64)
        difference, position = (expected - received).abs().nan_to_num(torch.inf).max(0)
        if difference.item() >= largest_difference:
            largest_difference, worst = difference.item(), f"{arguments.scores}:{number}, token {position.item() + 1}"
        largest_value = max(largest_value, expected.abs().max().item())
        num_tokens += len(ids) - 1
    if num_tokens == 0:
        sys.exit(f"{arguments.scores}: nothing to compare")
    error = largest_difference / largest_value
    print(f"{num_tokens} tokens, max relative error {error:.3g} (difference {largest_difference:.3g} at {worst})")
    sys.exit(1 if error > arguments.tolerance else 0)


if __name__ == "__main__":
    main()
