/** A number as people write it: `-5`, `130,000`, `3.75`. */
const NUMBER = String.raw`-?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?`;

const plain = (number: string | undefined): string | null => number?.replaceAll(',', '') ?? null;
const ownAnswer = (text: string): string => text.split('Question:')[0];

/** The number after the first `The answer is`, as the worked examples end; null where there is none. */
export function statedAnswer(text: string): string | null {
  return plain(new RegExp(String.raw`The answer is:?\s*\$?(${NUMBER})`).exec(ownAnswer(text))?.[1]);
}

/** The last number before the next question; commas between thousands belong to it. */
export function lastNumber(text: string): string | null {
  return plain(ownAnswer(text).match(new RegExp(NUMBER, 'g'))?.at(-1));
}

/** Whether two numbers are the same up to 1e-6, as OpenCompass compares. */
export const isSameNumber = (prediction: string, gold: string): boolean =>
  Math.abs(Number(prediction) - Number(gold)) < 1e-6;

/** lm-evaluation-harness, `strict-match`. */
export const lmEvalStrict = (text: string): string | null => /#### (-?[0-9.,]+)/.exec(text)?.[1] ?? null;

/** lm-evaluation-harness, `flexible-extract`: the last match. */
export const lmEvalFlexible = (text: string): string | null =>
  text.match(/(-?[$0-9.,]{2,})|(-?[0-9]+)/g)?.at(-1) ?? null;

/** lm-evaluation-harness's `exact_match` of GSM8K: commas, dollar signs, and a full stop at the end do not count. */
export function lmEvalIsSame(prediction: string, gold: string): boolean {
  const bare = (text: string): string =>
    text
      .replaceAll(/,|\$/g, '')
      .replace(/^[^]*#### /, '')
      .replace(/\.$/, '')
      .toLowerCase();
  return bare(prediction) === bare(gold);
}
