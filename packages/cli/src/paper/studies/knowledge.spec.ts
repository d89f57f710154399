import type { PaperMeasures } from '../measures/measure-model.js';
import { QUICK } from '../regime.js';
import { byFact } from './knowledge.js';

it('items about one fact are one value: the fact is the unit that is drawn anew', () => {
  const regime = { ...QUICK, corpus: { ...QUICK.corpus, numFacts: 4 } };
  expect(byFact(regime)({ knows: [1, 0, 1, 1, 0, 0] } as unknown as PaperMeasures)).toEqual([2 / 3, 1 / 3]);
});
