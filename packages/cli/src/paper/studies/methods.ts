import { forgettingMethodNames } from '@lethe/losses';
import { type Regime, weights } from '../regime.js';
import { type ComparedRepairs, comparedRecipes, compareRepairs } from './compare-repairs.js';
import { comparisonReport } from './comparison-page.js';
import type { Study } from './study.js';

/**
 * The methods, each at two weights. Left out: `complement-normalized`, whose gradient is that of `complement`, and
 * `unlikelihood-clamped`, which differs from it where p > 1 - 1e-5 only.
 */
export function methodRepairs({ untilGone }: Regime): ComparedRepairs {
  const compared = forgettingMethodNames.filter(
    (method) => method !== 'complement-normalized' && method !== 'unlikelihood-clamped',
  );
  return Object.fromEntries(
    compared.flatMap((method) =>
      [0.1, 1].map((weight) => [
        `${method}-${weight}`,
        {
          ...untilGone,
          method,
          span: 'template' as const,
          weights: weights(weight),
          row: [method, String(weight)],
        },
      ]),
    ),
  );
}

/** Every forgetting method, until the pattern has let go. */
export const methods: Study = {
  help: 'the forgetting methods, each until the pattern has let go',
  files: { numbers: 'methods.json', page: 'methods.html' },
  recipes: (lineage, regime) => comparedRecipes(lineage, regime, methodRepairs(regime)),
  chatRuns: () => 1,
  report: ({ lineages, regime, seconds }) =>
    comparisonReport({
      title: 'Forgetting methods at equal forgetting',
      header: ['method', 'weight'],
      results: compareRepairs(lineages, regime, methodRepairs(regime)),
      explained: 'All forget the template\u2019s tokens beside replay, with one learning rate.',
      seeds: lineages.map(({ seed }) => seed),
      seconds,
    }),
};
