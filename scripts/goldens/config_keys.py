"""All keys of the configuration classes in transformers: python scripts/goldens/config_keys.py

Needs transformers. Writes packages/model/testing/goldens/config-keys.json, a list for each family; packages/model's
config-effects.ts says of each what Lethe does with it.
"""

import json
from pathlib import Path

from transformers import LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

OUT = Path(__file__).parent.parent.parent / "packages" / "model" / "testing" / "goldens" / "config-keys.json"
CLASSES = {"llama": LlamaConfig, "mistral": MistralConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config}
# Read from files of transformers 4, and no longer fields.
OLD = ["rope_theta", "rope_scaling", "torch_dtype"]


def main():
    OUT.parent.mkdir(parents=True, exist_ok=True)
    keys = {}
    for name, kind in CLASSES.items():
        written = kind().to_dict()
        fields = [field for field in vars(kind()) if not field.startswith("_")]
        keys[name] = sorted({*written, *fields, *OLD})
    OUT.write_text(json.dumps(keys, indent=1) + "\n")
    print({name: len(found) for name, found in keys.items()})


if __name__ == "__main__":
    main()
