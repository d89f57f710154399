import { type Regime, type RepairSettings, weights } from '../regime.js';
import { type ComparedRepairs, comparedRecipes, compareRepairs } from './compare-repairs.js';
import { comparisonReport } from './comparison-page.js';
import type { Study } from './study.js';

type Protection = Pick<RepairSettings, 'reference' | 'content'> & {
  mitigation?: RepairSettings['weights']['mitigation'];
};

/** What a repair is held to while it forgets. */
const PROTECTIONS: Record<string, Protection> = {
  none: {},
  original: { mitigation: 1 },
  base: { mitigation: 1, reference: 'base' },
  fading: { mitigation: { from: 1, to: 0, steps: 30, kind: 'linear' } },
  content: { content: 0.25 },
  'content and original': { content: 0.25, mitigation: 1 },
};

/** Doses by name: until the answers let go, and well beyond. */
export const DOSES: Record<string, Partial<RepairSettings>> = { small: {}, large: { lr: 2e-4, untilP: 0.1 } };

/** What each protection does, at both doses, for the template's tokens and for all. */
export function protectedRepairs({ untilGone }: Regime): ComparedRepairs {
  const rows = Object.entries(DOSES).flatMap(([dose, more]) =>
    (['template', 'all'] as const).flatMap((span) =>
      Object.entries(PROTECTIONS)
        .filter(([name]) => span === 'template' || name === 'none' || name === 'original')
        .map(([name, { mitigation = 0, ...held }]): [string, ComparedRepairs[string]] => [
          ['held', span, dose, name.replaceAll(' ', '-')].join('-'),
          {
            ...untilGone,
            ...more,
            ...held,
            method: 'complement',
            span,
            weights: { ...weights(0.1), mitigation },
            row: [name, span, dose],
          },
        ]),
    ),
  );
  return Object.fromEntries(rows);
}

/** What the mitigation term should hold a model to. */
export const protection: Study = {
  help: 'what the mitigation term may hold the model to',
  files: { numbers: 'protection.json', page: 'protection.html' },
  shards: ['content'],
  recipes: (lineage, regime) => comparedRecipes(lineage, regime, protectedRepairs(regime)),
  chatRuns: () => 1,
  report: ({ lineages, regime, seconds }) =>
    comparisonReport({
      title: 'What a repair is held to',
      header: ['held to', 'forgets', 'dose'],
      results: compareRepairs(lineages, regime, protectedRepairs(regime)),
      explained:
        'Held to nothing; by a KL term on the replay to the model it begins with, to the base from before the synthetic text, or to the first for the ' +
        'first 30 steps, fading; content: a quarter of the replay is the synthetic text\u2019s other tokens. Small: learning rate 1e-4 until 0.3; large: 2e-4 until 0.1.',
      seeds: lineages.map(({ seed }) => seed),
      seconds,
    }),
};
