"""Makes tests/fixtures/goldens/ifeval.json, what IFEval's original checkers say:

    python scripts/goldens/ifeval.py DATA [--responses FILE.jsonl] [--out FILE]

DATA holds punkt_english/ (docs/eval.md). Needs lm-eval 0.4.13, nltk 3.10.3 and langdetect 1.0.9, whose seed is set to 0.
With --responses the texts are the "text" of its lines instead of the ones made here: to compare on many texts, let
LETHE_IFEVAL_GOLDEN name the file for tests/parity/ifeval.spec.ts. Run by hand, never in CI.
"""

import argparse
import functools
import json
import pathlib
import random
import re
import shutil
import tempfile

import ifeval_texts
import langdetect
import nltk

OUT = pathlib.Path(__file__).parents[2] / "tests/fixtures/goldens/ifeval.json"
SENTENCES = functools.cache(lambda: nltk.tokenize.PunktTokenizer("english"))
RELATIONS = ["at least", "less than"]
# The others are not among those that the checkers name.
LANGUAGES = [code for code in ifeval_texts.LANGUAGES if code not in ("ro", "tr")]


def load_reference(data):
    """The original checkers, with the Punkt model of DATA."""
    folder = pathlib.Path(tempfile.mkdtemp())
    shutil.copytree(data / "punkt_english", folder / "tokenizers/punkt_tab/english")
    nltk.data.path[:] = [str(folder)]
    langdetect.DetectorFactory.seed = 0
    from lm_eval.tasks.ifeval import instructions_util, utils

    # nltk no longer has the file that this names; the parameters are the same.
    instructions_util._get_sentence_tokenizer = SENTENCES
    return utils


def instructions(draw, text):
    """One instruction of each kind, with parameters that this text may or may not meet."""
    words = text.split() or ["word"]
    word = lambda: re.sub(r"\W", "", draw.choice(words)).lower() or "word"
    near = lambda count: max(1, count + draw.choice([-1, 0, 1]))
    end = draw.choice([" ".join(words[-3:]), "the end."])
    letter = draw.choice("aeioutzq")
    return {
        "change_case:capital_word_frequency": {
            "capital_relation": draw.choice(RELATIONS),
            "capital_frequency": near(sum(word.isupper() for word in words)),
        },
        "change_case:english_capital": {},
        "change_case:english_lowercase": {},
        "combination:repeat_prompt": {"prompt_to_repeat": draw.choice([" ".join(words[:2]), "Something else"])},
        "combination:two_responses": {},
        "detectable_content:number_placeholders": {"num_placeholders": near(text.count("["))},
        "detectable_content:postscript": {"postscript_marker": draw.choice(["P.S.", "P.P.S"])},
        "detectable_format:constrained_response": {},
        "detectable_format:json_format": {},
        "detectable_format:multiple_sections": {
            "section_spliter": draw.choice(["Section", "SECTION", "Day"]),
            "num_sections": near(text.count("Section")),
        },
        "detectable_format:number_bullet_lists": {"num_bullets": near(text.count("\n* ") + text.count("\n- "))},
        "detectable_format:number_highlighted_sections": {"num_highlights": near(text.count("*") // 2)},
        "detectable_format:title": {},
        "keywords:existence": {"keywords": [word(), draw.choice([word(), "absent"])]},
        "keywords:forbidden_words": {"forbidden_words": [draw.choice([word(), "absent"]), word()[:3] or "a"]},
        "keywords:frequency": {
            "keyword": (keyword := word()),
            "frequency": near(text.lower().count(keyword)),
            "relation": draw.choice(RELATIONS),
        },
        "keywords:letter_frequency": {
            "letter": letter,
            "let_frequency": near(text.lower().count(letter)),
            "let_relation": draw.choice(RELATIONS),
        },
        "language:response_language": {"language": draw.choice(LANGUAGES)},
        "length_constraints:nth_paragraph_first_word": {
            "num_paragraphs": (paragraphs := near(text.count("\n\n") + 1)),
            "nth_paragraph": (nth := draw.randint(1, paragraphs)),
            "first_word": (text.split("\n\n") + [""] * 9)[nth - 1].strip().split(" ")[0].strip("\"'.,!?") or "word",
        },
        "length_constraints:number_paragraphs": {"num_paragraphs": near(text.count("***") + 1)},
        "length_constraints:number_sentences": {
            "num_sentences": near(len(nltk.sent_tokenize(text))),
            "relation": draw.choice(RELATIONS),
        },
        "length_constraints:number_words": {"num_words": near(len(words)), "relation": draw.choice(RELATIONS)},
        "punctuation:no_comma": {},
        "startend:end_checker": {"end_phrase": end},
        "startend:quotation": {},
    }


def language(text):
    try:
        return langdetect.detect(text)
    except langdetect.LangDetectException:
        return None


def case(reference, name, text):
    draw = random.Random(name)
    every = instructions(draw, text)
    asked = {key: every[key] for key in sorted(draw.sample(list(every), 9))}
    example = reference.InputExample(0, list(asked), "", list(asked.values()))
    strict = reference.test_instruction_following_strict(example, text).follow_instruction_list
    loose = reference.test_instruction_following_loose(example, text).follow_instruction_list
    return {
        "text": text,
        "sentences": list(SENTENCES().span_tokenize(text)),
        "numCapitals": sum(word.isupper() for word in nltk.word_tokenize(text)),
        "language": language(text),
        "instructions": [{"id": key, **parameters} for key, parameters in asked.items()],
        "strict": "".join("01"[one] for one in strict),
        "loose": "".join("01"[one] for one in loose),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--responses", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    flags = parser.parse_args()
    reference = load_reference(flags.data)
    texts = ifeval_texts.texts()
    if flags.responses:
        texts = [json.loads(line)["text"] for line in flags.responses.read_text("utf8").split("\n") if line]
    lines = [json.dumps(case(reference, f"case {i}", text), ensure_ascii=False) for i, text in enumerate(texts)]
    flags.out.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf8")
    print(f"{flags.out}: {len(lines)} texts")


if __name__ == "__main__":
    main()
