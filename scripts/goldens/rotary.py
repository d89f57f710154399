"""Rotary frequencies of configurations: python scripts/goldens/rotary.py

Needs transformers. Writes packages/model/testing/goldens/rotary.json: keys of config.json, and what LlamaRotaryEmbedding
makes of them: radians per position of each pair, and the factor of cosines and sines; `fails` where it makes nothing.
"""

import json
import logging
from pathlib import Path

from huggingface_hub.errors import StrictDataclassClassValidationError
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

OUT = Path(__file__).parent.parent.parent / "packages" / "model" / "testing" / "goldens" / "rotary.json"
SIZES = {
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 8,
    "hidden_size": 64,
    "intermediate_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 4096,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}


def without(mapping, *names):
    return {name: value for name, value in mapping.items() if name not in names}


def scalings():
    """Mappings of rope_scaling."""
    yield YARN
    yield without(YARN, "rope_type") | {"type": "yarn"}
    yield YARN | {"mscale": 1.0, "mscale_all_dim": 1.0}
    yield YARN | {"mscale": 0.707, "mscale_all_dim": 0.5}
    yield YARN | {"mscale": 2, "mscale_all_dim": 1}
    yield YARN | {"mscale": 0.707}
    yield YARN | {"mscale_all_dim": 0.707}
    yield YARN | {"mscale": 0, "mscale_all_dim": 1.0}
    yield YARN | {"mscale": None, "mscale_all_dim": 1.0}
    yield YARN | {"attention_factor": 1.5}
    yield YARN | {"attention_factor": 1}
    yield YARN | {"attention_factor": None}
    yield YARN | {"attention_factor": 1.25, "mscale": 0.707, "mscale_all_dim": 0.5}
    yield YARN | {"truncate": False}
    yield YARN | {"truncate": True}
    yield YARN | {"truncate": False, "beta_fast": 8.0, "beta_slow": 2}
    yield YARN | {"beta_fast": 4, "beta_slow": 4}
    yield YARN | {"beta_fast": 0, "beta_slow": None}
    yield YARN | {"beta_fast": 1, "beta_slow": 32}
    yield YARN | {"factor": 1.0}
    yield YARN | {"factor": 0.5}
    yield YARN | {"factor": 40, "mscale": 1.0, "mscale_all_dim": 1.0}
    yield YARN | {"factor": None}
    yield without(YARN, "factor")
    yield without(YARN, "original_max_position_embeddings")
    yield without(YARN, "original_max_position_embeddings") | {"factor": None}
    yield YARN | {"original_max_position_embeddings": None}
    yield YARN | {"original_max_position_embeddings": 8192}
    yield YARN | {"original_max_position_embeddings": 3}
    yield YARN | {"rope_theta": 1e6}
    yield YARN | {"finetuned": True}
    yield {"rope_type": "linear", "factor": 2.5}
    yield {"type": "linear", "factor": 3}
    yield {"rope_type": "linear"}
    yield {"rope_type": "dynamic", "factor": 2.0}
    yield {"rope_type": "default", "factor": 2.0}
    yield LLAMA3 | {"original_max_position_embeddings": 512}
    yield LLAMA3
    yield LLAMA3 | {"factor": 32, "original_max_position_embeddings": 64}
    yield without(LLAMA3, "low_freq_factor")
    yield {"rope_type": "yarm", "factor": 2.0}


def configurations():
    for scaling in scalings():
        yield {"rope_theta": 1e5, "rope_scaling": scaling}
        yield {"rope_parameters": {"rope_theta": 5e5} | scaling}
    yield {"rope_scaling": YARN, "original_max_position_embeddings": 256}
    yield {"rope_parameters": without(YARN, "original_max_position_embeddings"), "original_max_position_embeddings": 256}
    yield {"rope_scaling": YARN, "head_dim": 16}
    yield {"rope_scaling": YARN, "rope_parameters": {"rope_type": "default", "rope_theta": 7e5}}


def made_of(keys):
    try:
        rotary = LlamaRotaryEmbedding(LlamaConfig(**SIZES, **json.loads(json.dumps(keys))))
    except (KeyError, StrictDataclassClassValidationError):
        return {"fails": True}
    return {"frequencies": [float(f"{value:.7g}") for value in rotary.inv_freq.tolist()], "scale": float(rotary.attention_scaling)}


def main():
    logging.disable(logging.WARNING)
    rows = [{"keys": keys, **made_of(keys)} for keys in configurations()]
    OUT.write_text("[\n" + ",\n".join(f" {json.dumps(row)}" for row in rows) + "\n]\n")
    failing = [row for row in rows if "fails" in row]
    print(f"{len(rows)} configurations, of which {len(failing)} fail")


if __name__ == "__main__":
    main()
