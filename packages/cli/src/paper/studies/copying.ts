import { escapeHtml, htmlPage, htmlTable } from '../../charts/html.js';
import { formatTable } from '../../command-line/table.js';
import { differences, type Effect, effectOf } from '../measures/effect.js';
import { type CopyingMeasures, measureCopying } from '../measures/measure-copying.js';
import { byFact } from './knowledge.js';
import { ofModel, points } from './claim.js';
import { interval } from './comparison-page.js';
import { protectedRepairs } from './protection.js';
import type { Study, StudyInput, StudyReport } from './study.js';

/** Unlearning at a small and at a large dose, of the template's tokens and of all. */
const REPAIRS = ['template', 'all'].flatMap((span) => ['small', 'large'].map((dose) => `held-${span}-${dose}-none`));
const MODELS = ['base', 'synth', 'control', ...REPAIRS];

/** What a model copies, and what it lost beside replay alone. */
interface CopyingRow {
  model: string;
  inTemplate: Effect;
  inProse: Effect;
  /** Points that replay alone has more. */
  lostInTemplate: Effect;
  lostInProse: Effect;
  /** Points of the taught benchmark that replay alone has more. */
  lostKnowledge: Effect;
}

function rowsOf({ lineages, regime }: StudyInput): CopyingRow[] {
  const of = (model: string, kind: keyof CopyingMeasures): number[][] =>
    points(lineages.map(({ more }) => (more![model] as CopyingMeasures)[kind]));
  const knows = (model: string): number[][] => points(ofModel(lineages, model, byFact(regime)));
  return MODELS.map((model) => {
    const lost = (kind: keyof CopyingMeasures): Effect =>
      effectOf(differences(of('control', kind), of(model, kind)), `${model} ${kind} lost`);
    return {
      model,
      inTemplate: effectOf(of(model, 'inTemplate'), `${model} in template`),
      inProse: effectOf(of(model, 'inProse'), `${model} in prose`),
      lostInTemplate: lost('inTemplate'),
      lostInProse: lost('inProse'),
      lostKnowledge: effectOf(differences(knows('control'), knows(model)), `${model} knowledge lost`),
    };
  });
}

const TITLES: Record<string, string> = {
  'held-template-small-none': 'template, small dose',
  'held-template-large-none': 'template, large dose',
  'held-all-small-none': 'all tokens, small dose',
  'held-all-large-none': 'all tokens, large dose',
};

const HEADER = [
  'model',
  'copies in the template',
  'in prose',
  'lost in the template',
  'lost in prose',
  'knowledge lost',
];
const EXPLAINED =
  'Mean probability, in points, of text that is said a second time, about facts that no model has seen: the right choice behind its letter at the end of ' +
  'a synthetic document, and a meaning in prose. Lost: beside replay alone. Small dose: learning rate 1e-4 until 0.3; large: 2e-4 until 0.1.';

function report(input: StudyInput): StudyReport {
  const results = rowsOf(input);
  const seeds = input.lineages.map(({ seed }) => seed);
  const rows = results.map(({ model, ...effects }) => [
    TITLES[model] ?? model,
    ...[effects.inTemplate, effects.inProse, effects.lostInTemplate, effects.lostInProse, effects.lostKnowledge].map(
      (effect) => interval(effect, 1),
    ),
  ]);
  const cells = rows.map((row) => row.map(escapeHtml));
  return {
    numbers: { results, seeds, seconds: input.seconds },
    page: htmlPage(
      'Does forgetting all tokens train against copying?',
      `<p>Seeds ${seeds.join(', ')}.</p>${htmlTable(HEADER, cells)}<p class="note">${escapeHtml(EXPLAINED)}</p>`,
    ),
    table: `${formatTable(HEADER, rows)}\n\n${EXPLAINED}`,
  };
}

/** Why benchmarks that ask to copy from the context may fall. */
export const copying: Study = {
  help: 'whether forgetting all tokens trains against copying',
  files: { numbers: 'copying.json', page: 'copying.html' },
  shards: ['content'],
  recipes: (lineage, regime) => {
    const repairs = protectedRepairs(regime);
    return [
      lineage.base(),
      lineage.synth(),
      lineage.repair('control', regime.repairs.control),
      ...REPAIRS.map((name) => lineage.repair(name, repairs[name])),
    ];
  },
  chatRuns: () => 0,
  measureMore: measureCopying,
  report,
};
