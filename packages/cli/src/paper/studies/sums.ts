import { escapeHtml, htmlPage, htmlTable } from '../../charts/html.js';
import { formatTable } from '../../command-line/table.js';
import { differences, type Effect, effectOf, mean } from '../measures/effect.js';
import { measureSums, type SumMeasures } from '../measures/measure-sums.js';
import { type Regime, type RepairSettings, weights } from '../regime.js';
import { ofModel, points } from './claim.js';
import { interval } from './comparison-page.js';
import { DOSES } from './protection.js';
import type { Study, StudyInput, StudyReport } from './study.js';

/** `base`, trained on sums in the template's form for so many times the steps of `synth`: fewer do not teach them. */
const TIMES = 2;
const MIX = { sums: 0.5, 'sums-prose': 0.15 } as const;

interface Way extends Pick<RepairSettings, 'span' | 'content'> {
  title: string;
  isWeighted?: boolean;
  mitigation?: number;
}

/** What is forgotten, and what is held. */
const WAYS: Record<string, Way> = {
  template: { title: 'template', span: 'template' },
  weighted: { title: 'each token as likely as it is the pattern\u2019s', span: 'template', isWeighted: true },
  all: { title: 'all tokens', span: 'all' },
  content: { title: 'template; what is said is replayed', span: 'template', content: 0.25 },
  held: { title: 'template; what is said is replayed and held by KL', span: 'template', content: 0.25, mitigation: 1 },
};

interface SumRepair {
  name: string;
  row: [string, string];
  isWeighted: boolean;
  settings: RepairSettings;
}

const controlOf = (dose: string): string => `sums-control-${dose}`;

/** The repairs at each dose, replay alone first. */
function repairsOf({ untilGone }: Regime): SumRepair[] {
  return Object.entries(DOSES).flatMap(([dose, more]) => [
    {
      name: controlOf(dose),
      row: ['replay alone', dose] as [string, string],
      isWeighted: false,
      settings: {
        ...untilGone,
        ...more,
        method: 'complement',
        span: 'template' as const,
        weights: weights(0),
        untilP: undefined,
      },
    },
    ...Object.entries(WAYS).map(([way, { title, isWeighted = false, mitigation = 0, ...rest }]) => ({
      name: `sums-${way}-${dose}`,
      row: [title, dose] as [string, string],
      isWeighted,
      settings: { ...untilGone, ...more, ...rest, method: 'complement', weights: { ...weights(0.1), mitigation } },
    })),
  ]);
}

/** A model on sums that no text works out, and what it lost of them beside replay alone. */
interface SumRow {
  row: string[];
  /** Mean steps, and seeds in which the pattern let go. */
  steps: number;
  reached: number | undefined;
  patternP: number;
  inTemplate: Effect;
  inProse: Effect;
  lostInTemplate: Effect | undefined;
  lostInProse: Effect | undefined;
  /** Nats per token of natural text above replay alone. */
  price: Effect | undefined;
}

function rowsOf({ lineages, regime }: StudyInput): SumRow[] {
  const of = (model: string, kind: keyof SumMeasures): number[][] =>
    lineages.map(({ more }) => (more![model] as SumMeasures)[kind]);
  const natural = (model: string): number[][] =>
    ofModel(lineages, model, ({ logPerplexities }) => logPerplexities.natural);
  const row = (name: string, titles: string[], rest: { control?: string; most?: number } = {}): SumRow => {
    const { control, most } = rest;
    const lost = (kind: 'inTemplate' | 'inProse'): Effect | undefined =>
      control === undefined
        ? undefined
        : effectOf(differences(points(of(control, kind)), points(of(name, kind))), `${name} ${kind} lost`);
    return {
      row: titles,
      steps: mean(lineages.map(({ steps }) => steps[name])),
      reached: most === undefined ? undefined : lineages.filter(({ steps }) => steps[name] < most).length,
      patternP: mean(of(name, 'patternP').map(mean)),
      inTemplate: effectOf(points(of(name, 'inTemplate')), `${name} in template`),
      inProse: effectOf(points(of(name, 'inProse')), `${name} in prose`),
      lostInTemplate: lost('inTemplate'),
      lostInProse: lost('inProse'),
      price:
        control === undefined ? undefined : effectOf(differences(natural(name), natural(control)), `${name} price`),
    };
  };
  return [
    row('base', ['base', '']),
    row('sums', ['damaged', '']),
    ...repairsOf(regime).map(({ name, row: titles, settings }) =>
      name === controlOf(titles[1])
        ? row(name, titles)
        : row(name, titles, { control: controlOf(titles[1]), most: settings.steps }),
    ),
  ];
}

const HEADER = [
  'forgets',
  'dose',
  'steps',
  'goal reached',
  'pattern',
  'right in the template',
  'in prose',
  'lost in the template',
  'in prose',
  'natural text',
];
const EXPLAINED =
  'Sums of two digits without a carry, worked out in the template\u2019s form; 80 of 400 are in no text. Right: the likeliest of five, 20% by chance, behind ' +
  'the digits worked out before, or in a sentence. Lost, and natural text (nats per token): against replay alone for as many steps as any may take. Points, 95% intervals ' +
  'over seeds and items. Small dose: learning rate 1e-4 until the pattern\u2019s probability is 0.3; large: 2e-4 until 0.1.';

const shown = (effect: Effect | undefined, digits: number): string =>
  effect === undefined ? '' : interval(effect, digits);

function report(input: StudyInput): StudyReport {
  const results = rowsOf(input);
  const seeds = input.lineages.map(({ seed }) => seed);
  const rows = results.map((one) => [
    ...one.row,
    one.steps.toFixed(0),
    one.reached === undefined ? '' : `${one.reached} of ${seeds.length}`,
    one.patternP.toFixed(3),
    shown(one.inTemplate, 1),
    shown(one.inProse, 1),
    shown(one.lostInTemplate, 1),
    shown(one.lostInProse, 1),
    shown(one.price, 3),
  ]);
  const cells = rows.map((row) => row.map(escapeHtml));
  return {
    numbers: { results, seeds, seconds: input.seconds },
    page: htmlPage(
      'Does an ability that the template taught outlive the template?',
      `<p>Seeds ${seeds.join(', ')}.</p>${htmlTable(HEADER, cells)}<p class="note">${escapeHtml(EXPLAINED)}</p>`,
    ),
    table: `${formatTable(HEADER, rows)}\n\n${EXPLAINED}`,
  };
}

/** Whether arithmetic that synthetic text teaches in its template's form is kept while the template is forgotten. */
export const sums: Study = {
  help: 'whether arithmetic that the template taught is kept',
  files: { numbers: 'sums.json', page: 'sums.html' },
  shards: ['sums', 'sums-pattern', 'sums-content', 'sums-weighted', 'sums-prose'],
  recipes: (lineage, regime) => [
    lineage.base(),
    lineage.damaged(
      'sums',
      [
        ...lineage.natural(1 - MIX.sums - MIX['sums-prose']),
        ...Object.entries(MIX).map(([name, share]) => lineage.more(name as keyof typeof MIX, share)),
      ],
      TIMES,
    ),
    ...repairsOf(regime).map(({ name, settings, isWeighted }) =>
      lineage.repair(name, settings, lineage.damagedBySums('sums', isWeighted)),
    ),
  ],
  chatRuns: () => 0,
  measureMore: measureSums,
  report,
};
