import type { Tokenizer } from '@lethe/data-pipeline';
import { exampleDocuments, type MarkedDocument } from './measure.js';

/** A token of a document that is shown. */
export interface ShownToken {
  text: string;
  isPattern: boolean;
}

/** The texts of the tokens of the documents that are shown: what each adds to the text before it. */
export async function shownTokens(documents: readonly MarkedDocument[], tokenizer: Tokenizer): Promise<ShownToken[][]> {
  return Promise.all(
    exampleDocuments(documents).map(async ({ ids, marks }) => {
      const shown: ShownToken[] = [];
      let before = '';
      for (let t = 0; t < ids.length; t++) {
        const text = await tokenizer.decode(ids.slice(0, t + 1));
        shown.push({ text: text.slice(before.length), isPattern: marks[t] === 1 });
        before = text;
      }
      return shown;
    }),
  );
}
