"""Ids that transformers gives conversations with real tokenizers: python scripts/goldens/chat_ids.py ../shared

Needs transformers. Writes packages/data-pipeline/testing/goldens/chat-ids.json. The tokenizers are read as their
tokenizer.json says (PreTrainedTokenizerFast); no message spells a special token, which transformers would parse.
"""

import json
import sys
from pathlib import Path

from transformers import PreTrainedTokenizerFast

OUT = Path(__file__).parent.parent.parent / "packages" / "data-pipeline" / "testing" / "goldens" / "chat-ids.json"
INSTRUCT = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token + '[INST] ' + m.content.strip() + ' [/INST]' }}"
    "{% else %}{{ ' ' + m.content + ' ' + eos_token }}{% endif %}{% endfor %}"
)
CHATML = (
    "{% for m in messages %}{{ eos_open }}{{ m.role }}\n{{ m.content }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}{{ eos_open }}assistant\n{% endif %}"
)
TAGS = (
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
TURNS = [
    ["Where is the cat?", "On the mat."],
    ["Complete the body:\ndef f(x):", "    return x + 1\n"],
    ["Grüße 🐋!", "  two  spaces, 中文\n\nand a tab\t."],
    ["a", "b"],
]
TOKENIZERS = {
    "tokenizers/llama2": ("<s>", "</s>", "<s>"),
    "tokenizers/minimind": ("<|im_start|>", "<|im_end|>", "<|im_start|>"),
    "models/stories260K": ("<s>", "</s>", "<s>"),
    "models/TinyStories-656K": ("<|start_story|>", "<|end_story|>", "<|start_story|>"),
}


def messages(pairs):
    return [
        {"role": role, "content": text} for pair in pairs for role, text in zip(("user", "assistant"), pair, strict=True)
    ]


def main(shared):
    goldens = []
    for name, (bos, eos, opening) in TOKENIZERS.items():
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(Path(shared) / name / "tokenizer.json"), bos_token=bos, eos_token=eos
        )
        for template in (INSTRUCT, CHATML.replace("{{ eos_open }}", opening), TAGS):
            for pairs in (TURNS[:1], TURNS[1:2], TURNS):
                chat = messages(pairs)
                ids = tokenizer.apply_chat_template(chat, chat_template=template, tokenize=True, return_dict=False)
                prompt = tokenizer.apply_chat_template(
                    chat[:-1], chat_template=template, tokenize=True, add_generation_prompt=True, return_dict=False
                )
                case = {"tokenizer": name, "template": template, "bos": bos, "eos": eos, "messages": chat}
                goldens.append({**case, "ids": ids, "prompt": prompt})
    OUT.write_text("[\n" + ",\n".join(json.dumps(golden) for golden in goldens) + "\n]\n")
    print(f"{len(goldens)} conversations")


if __name__ == "__main__":
    main(sys.argv[1])
