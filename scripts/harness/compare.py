"""Does lm-evaluation-harness say the same of a model as lethe eval?

    python scripts/harness/compare.py MODEL BENCHMARKS [--shots 0 5] [--limit 50] [--gsm8k 20] [--context 2048]
        [--device lethe-cpu]

MODEL is a checkpoint folder, BENCHMARKS a folder with mmlu, cmmlu, ceval and gsm8k as `lethe eval` reads them. Three
sides answer the same items: the harness through its hf backend, the harness through `lethe serve` and its OpenAI
completions backend, and `lethe eval` under the protocol lm-eval. All read the tokenizer that tokenizer.json holds: where
tokenizer_class has transformers build another one, `lethe` warns, and the sides would read other ids. The harness's two
backends cut texts longer than the context differently: such items are compared through hf alone, unless --context gives
the copy of the model that all sides read another context, long enough for all. Prints the worst difference of each task and
exits with 1 where one exceeds 1e-3, or an answer or a score differs. Needs lm_eval 0.4.13, torch and transformers;
nothing is downloaded.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import local_data
from sides import harness_items, lethe_items, plain_copy, served

TOLERANCE = 1e-3


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("benchmarks", type=Path)
    parser.add_argument("--shots", type=int, nargs="+", default=[0, 5], help="of the multiple-choice benchmarks")
    parser.add_argument("--limit", type=int, default=50, help="items of each subject")
    parser.add_argument("--gsm8k", type=int, default=20, help="problems of GSM8K, without shots; 0 leaves it out")
    parser.add_argument("--context", type=int, help="tokens; the model's own unless given")
    parser.add_argument("--device", default="lethe-cpu")
    return parser.parse_args()


def difference(ours, theirs):
    """The worst difference of two sides: of log-likelihoods, and how many answers and scores differ."""
    pairs = [(ours[key], theirs[key]) for key in theirs]
    logprobs = [abs(a - b) for one, other in pairs for a, b in zip(one["logprobs"], other["logprobs"], strict=True)]
    texts = sum(one["answer"] != other["answer"] for one, other in pairs)
    return max(logprobs, default=0.0), texts, sum(one["score"] != other["score"] for one, other in pairs)


def check_items(ours, theirs, may_lack):
    """Fails where a side lacks items of the other."""
    only = sorted(theirs.keys() - ours.keys() if may_lack else ours.keys() ^ theirs.keys())
    if only:
        raise SystemExit(f"expected the same items on both sides; only one side has {only[:3]} and {len(only)} in all")


def accuracy(items):
    return f"{100 * sum(one['score'] for one in items.values()) / len(items):.2f}" if items else "-"


def main():
    options = parse()
    plans = [(name, shots) for shots in options.shots for name in ("mmlu", "cmmlu", "ceval")]
    plans += [("gsm8k", 0)] if options.gsm8k else []
    print("task\tshots\tagainst\titems\tcut differently\taccuracy %\tworst log-likelihood\tother answers\tother scores")
    with tempfile.TemporaryDirectory() as folder:
        options.benchmarks = local_data.cut_copy(options.benchmarks, Path(folder) / "data", options.limit)
        local_data.install(options.benchmarks)
        model = plain_copy(options.model, Path(folder) / "model", options.context)
        is_equal = compare(options, plans, model, Path(folder))
    sys.exit(0 if is_equal else 1)


def compare(options, plans, model, folder):
    """Prints a line for each plan and side; whether all are equal."""
    is_equal = True
    with served(model, options.device) as url:
        for name, shots in plans:
            plan = {
                "name": name,
                "tasks": local_data.tasks(options.benchmarks, name),
                "shots": shots,
                "limit": options.gsm8k if name == "gsm8k" else options.limit,
                "data": options.benchmarks / name,
            }
            ours = lethe_items(model, plan, folder, options.device)
            for side, where in (("hf", None), ("lethe serve", url)):
                theirs = harness_items(model, plan, where)
                check_items(ours, theirs, may_lack=where is not None)
                worst, answers, scores = difference(ours, theirs)
                is_equal &= worst <= TOLERANCE and answers + scores == 0
                figures = [name, shots, side, len(theirs), len(ours) - len(theirs), accuracy(theirs)]
                print(*figures, f"{worst:.1e}", answers, scores, sep="\t", flush=True)
    return is_equal


if __name__ == "__main__":
    main()
