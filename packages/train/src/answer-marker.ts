import type { Tokenizer } from '@lethe/data-pipeline';

/** Text without blanks: a token decoded by itself may have lost the one before it. */
const bare = (text: string): string => text.replaceAll(/\s/g, '');

/**
 * A function that marks the tokens of a document after the first place where its text holds `marker`, blanks aside. A token
 * in which the marker ends is not marked; of a document without the marker none is.
 */
export async function answerMarker(
  marker: string,
  tokenizer: Tokenizer,
): Promise<(ids: ArrayLike<number>) => Uint8Array> {
  const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id);
  const texts = await Promise.all(
    ids.map(async (id) => (tokenizer.specialText(id) === undefined ? bare(await tokenizer.decode([id])) : '')),
  );
  const wanted = bare(marker);
  return (document) => {
    const marks = new Uint8Array(document.length);
    const parts = Array.from(document, (id) => texts[id] ?? '');
    const at = parts.join('').indexOf(wanted);
    if (at < 0) return marks;
    let end = 0;
    const last = parts.findIndex((part) => (end += part.length) >= at + wanted.length);
    return marks.fill(1, last + 1);
  };
}
