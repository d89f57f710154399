import { mean } from '../measures/effect.js';
import type { PickMeasure } from './claim.js';
import type { Regime } from '../regime.js';

/** The benchmark by fact: a fact is asked again and again, and its items rise and fall together. */
export const byFact =
  ({ corpus }: Regime): PickMeasure =>
  ({ knows }) => {
    const numFacts = Math.min(corpus.numFacts / 2, knows.length);
    return Array.from({ length: numFacts }, (_, fact) => mean(knows.filter((_, i) => i % numFacts === fact)));
  };
