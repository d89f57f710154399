import type { Tokenizer } from '@lethe/data-pipeline';
import { answerMarker } from './answer-marker.js';

/** Id 5 decodes with the blank before it lost, as pieces of sentencepiece do when they stand alone. */
const TEXTS = ['</s>', 'Which', ' word?', '\n\n**', 'Answer', ':**', '\n', ' It', ' is', ':** It'];
const tokenizer = {
  vocabSize: TEXTS.length,
  specialText: (id: number) => (id === 0 ? '</s>' : undefined),
  decode: async ([id]: number[]) => TEXTS[id].trimStart(),
} as unknown as Tokenizer;

describe('answerMarker', () => {
  it.each([
    ['after its first place', [1, 2, 3, 4, 5, 6, 7, 8, 4, 5, 0], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]],
    ['without the token in which it ends', [3, 4, 9, 8], [0, 0, 0, 1]],
    ['nothing where it is not', [1, 2, 0], [0, 0, 0]],
    ['nothing after the end', [3, 4, 5], [0, 0, 0]],
    ['past ids that the tokenizer does not have', [99, 3, 4, 5, 99], [0, 0, 0, 0, 1]],
  ])('marks %s', async (_, ids, marks) => {
    expect([...(await answerMarker('**Answer:**', tokenizer))(ids)]).toEqual(marks);
  });

  it('minds no blanks in the marker', async () => {
    expect([...(await answerMarker('\n\n** Answer :**', tokenizer))([3, 4, 5, 7])]).toEqual([0, 0, 0, 1]);
  });
});
