"""What jinja2 makes of fragments of chat templates, as transformers sets it up: python scripts/goldens/chat_templates.py

Needs transformers and jinja2. Writes packages/data-pipeline/testing/goldens/chat-templates.json: the names that every
fragment sees, the fragments of chat_fragments.txt (one a line, with JSON's escapes), and their text; null where refused.
"""

import json
from pathlib import Path

from transformers.utils.chat_template_utils import _compile_jinja_template

HERE = Path(__file__).parent
OUT = HERE.parent.parent / "packages" / "data-pipeline" / "testing" / "goldens"
NAMES = {
    "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "h\ni"}],
    "tools": None,
    "documents": None,
    "add_generation_prompt": False,
    "bos_token": "<s>",
    "eos_token": "</s>",
    "data": {
        "int": 3,
        "float": 2.5,
        "text": "Grüße 🐋!",
        "list": [3, 1, 2],
        "none": None,
        "yes": True,
        "rows": [{"n": "b", "v": 2}, {"n": "A", "v": 1}, {"n": "b", "v": 3}],
        "nested": {"z": {"y": [1, {"x": None}]}, "a": "é\"\\\n\t/<>&'"},
    },
}


def rendered(template, names=NAMES):
    """The text, or None where the template is refused."""
    try:
        return _compile_jinja_template(template).render(**names)
    except Exception:
        return None


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    lines = (HERE / "chat_fragments.txt").read_text("utf8").splitlines()
    fragments = [json.loads(f'"{line}"') for line in lines if line and not line.startswith("##")]
    goldens = [{"template": fragment, "rendered": rendered(fragment)} for fragment in fragments]
    content = json.dumps({"names": NAMES, "fragments": goldens}, ensure_ascii=True, indent=0)
    (OUT / "chat-templates.json").write_text(content + "\n")
    refused = sum(golden["rendered"] is None for golden in goldens)
    print(f"{len(goldens)} fragments, {refused} refused by jinja2")


if __name__ == "__main__":
    main()
