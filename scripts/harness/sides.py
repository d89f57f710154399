"""The sides that are compared; each gives items by key: log-likelihoods of the choices, the answer, the score."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import lm_eval
from tokenizers import Tokenizer
from transformers import AutoTokenizer

LETHE = Path(__file__).resolve().parents[2] / "packages/cli/bin/lethe.mjs"
CHOICES = ("mmlu", "cmmlu", "ceval")
SUBJECT = {"mmlu": "mmlu_", "cmmlu": "cmmlu_", "ceval": "ceval-valid_"}


def context_of(model):
    return json.loads((Path(model) / "config.json").read_text())["max_position_embeddings"]


def _settings(file):
    return json.loads(file.read_text()) if file.exists() else {}


def plain_copy(model, to, context=None):
    """A folder of links to a checkpoint whose tokenizer is the one that tokenizer.json holds; of another context, if given.

    Where tokenizer_config.json names no beginning or end of text, the tokens that config.json numbers are named: the
    harness needs them.
    """
    to.mkdir()
    for file in Path(model).resolve().iterdir():
        if file.name not in ("tokenizer_config.json", "config.json"):
            (to / file.name).symlink_to(file)
    config = _settings(Path(model) / "config.json")
    settings = _settings(Path(model) / "tokenizer_config.json") | {"tokenizer_class": "PreTrainedTokenizerFast"}
    tokenizer = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
    for name in ("bos_token", "eos_token"):
        number = config.get(f"{name}_id")
        number = number[0] if isinstance(number, list) else number
        if settings.get(name) is None and number is not None:
            settings[name] = tokenizer.id_to_token(number)
    (to / "tokenizer_config.json").write_text(json.dumps(settings))
    (to / "config.json").write_text(json.dumps(config | ({"max_position_embeddings": context} if context else {})))
    return to


@contextlib.contextmanager
def served(model, device):
    """`lethe serve` on a free port of the loopback; gives its address."""
    command = ["node", LETHE, "serve", "--model", model, "--name", "served", "--port", "0", "--device", device]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def harness_items(model, plan, url):
    """The harness's items, through its hf backend, or through the server at a url.

    Its API backend keeps a token less of a text than the context holds, and its hf backend one more. A choice whose text
    the two would cut differently is left out of the server's items; prompts to continue are cut alike by asking for one more.
    """
    if url is None:
        arguments = {"pretrained": str(model), "dtype": "float32", "device": "cpu", "batch_size": 8}
    else:
        arguments = {
            "model": "served",
            "base_url": f"{url}/v1/completions",
            "tokenizer": str(model),
            "tokenizer_backend": "huggingface",
            "max_length": context_of(model) + (0 if plan["name"] in CHOICES else 1),
            # The hf backend does as the tokenizer does; this one adds no BOS unless told to.
            "add_bos_token": AutoTokenizer.from_pretrained(model)("").input_ids != [],
            "batch_size": 8,
        }
    results = lm_eval.simple_evaluate(
        model="hf" if url is None else "local-completions",
        model_args=arguments,
        tasks=plan["tasks"],
        num_fewshot=plan["shots"],
        limit=plan["limit"],
        bootstrap_iters=0,
        log_samples=True,
    )
    if plan["name"] in CHOICES:
        tokenizer = AutoTokenizer.from_pretrained(model)
        fits = lambda sample: url is None or longest(sample, tokenizer) < context_of(model)
        return {
            f"{task.removeprefix(SUBJECT[plan['name']])}/{sample['doc_id']}": choice_of(sample)
            for task, samples in results["samples"].items()
            for sample in samples
            if fits(sample)
        }
    return {
        f"{sample['doc_id']} {sample['filter']}": {
            "logprobs": [],
            # The hf backend decodes new tokens without those before them, which loses a first space.
            "answer": sample["resps"][0][0].lstrip(" "),
            "score": sample["exact_match"],
        }
        for sample in results["samples"]["gsm8k"]
    }


def longest(sample, tokenizer):
    """Tokens of a question's longest text, its choice included."""
    texts = [context + continuation for context, continuation in sample["arguments"]]
    return max(len(tokenizer(text).input_ids) for text in texts)


def choice_of(sample):
    logprobs = [float(response[0]) for response in sample["filtered_resps"]]
    return {"logprobs": logprobs, "answer": "ABCD"[logprobs.index(max(logprobs))], "score": sample["acc"]}


def lethe_items(model, plan, folder, device):
    """The items of `lethe eval` under the protocol lm-eval, of GSM8K as many as the plan says."""
    name, limit = plan["name"], plan["limit"]
    task = {"name": name, "data": str(plan["data"].resolve()), "protocols": ["lm-eval"], "shots": plan["shots"]}
    task |= {"kind": "multiple-choice", "benchmark": name} if name in CHOICES else {"kind": "gsm8k", "maxItems": limit}
    recipe, out = folder / f"{name}.json", folder / f"{name}-{plan['shots']}" / "results.json"
    recipe.write_text(json.dumps({"tasks": [task]}))
    command = ["node", LETHE, "eval", "--model", model, "--recipe", recipe, "--out", out, "--device", device]
    subprocess.run(command, check=True, stdout=sys.stderr)
    items = json.loads(out.read_text())["tasks"][0]["items"]
    if name in CHOICES:
        return {
            item["id"]: {"logprobs": item["logprobs"], "answer": item["prediction"], "score": item["score"]}
            for item in items
        }
    readings = {"strict-match": "strict", "flexible-extract": "flexible"}
    return {
        f"{item['id']} {theirs}": {
            "logprobs": [],
            "answer": item["texts"][0].lstrip(" "),
            "score": item["readings"][ours]["score"],
        }
        for item in items
        for theirs, ours in readings.items()
    }
