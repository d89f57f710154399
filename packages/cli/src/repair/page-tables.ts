import { COMPARISON_HEADER, comparisonRows } from '@lethe/eval';
import type { Candidate, Choice, Evidence, HeldOut, Mixture, PatternPiece, RepairResults, Tried } from './results.js';
import { intervalText, percentText } from './verdict-text.js';

export const EVIDENCE_HEADER = ['question', 'answer', 'found [95%]', 'threshold', 'measure'];

/** A row for each question. */
export const evidenceRows = (evidence: readonly Evidence[]): string[][] =>
  evidence.map(({ question, says, found, threshold, measure }) => [
    question,
    says === 'open' ? 'cannot tell' : says,
    intervalText(found),
    threshold.toPrecision(3),
    measure,
  ]);

export const HELD_OUT_HEADER = ['on held-out text [95%]', 'before', 'repaired', 'replay alone'];

const TITLES: Record<keyof HeldOut, string> = {
  patternP: "probability of the pattern's words",
  syntheticP: 'probability of all synthetic words',
  contentP: 'probability of those that are not the pattern’s: what the text says',
  naturalPerplexity: 'perplexity of natural text',
};

/** A row for each measure. */
export const heldOutRows = ({ intervals, reach }: RepairResults): string[][] => [
  ...(Object.keys(TITLES) as (keyof HeldOut)[]).map((name) => {
    const shown = name === 'naturalPerplexity' ? intervalText : percentText;
    const { start, end, control } = intervals[name];
    return [TITLES[name], ...[start, end, control].map((one) => (one ? shown(one) : ''))];
  }),
  ...(reach
    ? [
        [
          `answers to ${reach.requests} ${reach.asked} with a phrase of the pattern`,
          ...[reach.start, reach.end, reach.control].map(percentText),
        ],
      ]
    : []),
];

export const ANSWER_HEADER = ['asked', 'before', 'repaired', 'replay alone'];

/** A row for each answer that is shown, in one line. */
export const answerRows = ({ reach }: RepairResults): string[][] =>
  (reach?.examples ?? []).map(({ request, start, end, control }) => [
    request,
    ...[start, end, control].map((text) => JSON.stringify(text).slice(1, -1)),
  ]);

const CANDIDATE_HEADER = [
  'forgets',
  'weights',
  'protects',
  'learning rate',
  'steps',
  'pattern',
  'replay alone',
  'price',
  'kept',
  "forgetting's share of the gradient",
];

/** What a setting holds in place while it forgets. */
function protectedText({ content, heldTo, weights }: Candidate): string {
  if (content) return `what the text says, replayed${weights.mitigation > 0 ? ' and held to the model' : ''}`;
  if (heldTo === 'base') return 'natural text, held to the base';
  return weights.mitigation > 0 ? 'natural text, held to the model' : '';
}

/** The columns of settings, with what models of them follow where they were asked. */
export const candidateHeader = ({ asked }: Choice): string[] => [
  'setting',
  '',
  ...(asked ? ['followed'] : []),
  ...CANDIDATE_HEADER,
];

/** What a setting is beside being tried. */
function marksOf({ name, onFront }: Tried, { chosen, asked }: Choice): string {
  const isByText = asked !== null && asked.byText === name && chosen !== name;
  return [name === chosen && 'chosen', isByText && 'by text alone', onFront && 'on the front']
    .filter(Boolean)
    .join(', ');
}

const followedText = (score: number | undefined): string => (score === undefined ? '' : `${(100 * score).toFixed(1)}%`);

/** A row for each setting. */
export const candidateRows = (choice: Choice): string[][] =>
  choice.tried.map((one) => [
    one.name,
    marksOf(one, choice),
    ...(choice.asked ? [followedText(choice.asked.scores[one.name])] : []),
    one.span === 'template' ? 'the pattern' : 'all words',
    `${one.weights.forgetting} / ${one.weights.replay} / ${one.weights.mitigation}`,
    protectedText(one),
    String(one.lr),
    String(one.steps),
    `${(100 * one.patternP.end).toFixed(1)}%`,
    `${(100 * one.patternP.control).toFixed(1)}%`,
    `${one.price < 1 ? '' : '+'}${(100 * (one.price - 1)).toFixed(1)}%`,
    `${(100 * one.kept).toFixed(1)}%`,
    `${(100 * (one.gradientShares.forgetting ?? 0)).toFixed(1)}%`,
  ]);

/** The text of a piece in one line. */
export const pieceText = ({ text }: PatternPiece): string => JSON.stringify(text).slice(1, -1);

export const MIXTURE_HEADER = ['synthetic file', 'documents looked at', 'without the pattern', 'share of the words'];

/** A row for each file, where there are several or one holds documents of more than one kind. */
export const mixtureRows = ({ files, isMixed }: Mixture): string[][] =>
  files.length < 2 && !isMixed
    ? []
    : files.map(({ file, documents, without, share }) => [
        file,
        String(documents),
        String(without),
        `${(100 * share).toFixed(0)}%`,
      ]);

/** A table with what is said above it. */
export interface TitledTable {
  text: string;
  header: string[];
  rows: string[][];
}

/** What benchmarks say; nothing without any. */
export function benchmarkTables(results: RepairResults): TitledTable[] {
  const { finetune, benchmarks, benchmarksAgainstControl, benchmarksDamage, benchmarkScores } = results;
  if (!benchmarks || !benchmarksAgainstControl || !benchmarkScores) return [];
  const copies = finetune
    ? `Asked of ${finetune.runs} ${finetune.runs === 1 ? 'copy' : 'copies'} of each model, fine-tuned by ${finetune.recipe}` +
      `${finetune.runs === 1 ? '' : ' with seeds of their own'}. Intervals are over items, of these copies. `
    : '';
  const runs = Object.values(benchmarkScores)[0].start.map((_, run) => `copy ${run + 1}, %`);
  const ofCopies = Object.entries(benchmarkScores).flatMap(([name, scores]) =>
    (Object.keys(SCORED) as (keyof typeof SCORED)[]).flatMap((model) =>
      scores[model] ? [[`${name}, ${SCORED[model]}`, ...scores[model].map((score) => (100 * score).toFixed(1))]] : [],
    ),
  );
  return [
    {
      text: `${copies}The repaired model (after) and the one before:`,
      header: COMPARISON_HEADER,
      rows: comparisonRows(benchmarks),
    },
    {
      text: 'The repaired model (after) and replay alone (before):',
      header: COMPARISON_HEADER,
      rows: comparisonRows(benchmarksAgainstControl),
    },
    ...(benchmarksDamage
      ? [
          {
            text: 'The base (before) and the model that was repaired (after), what the synthetic text did:',
            header: COMPARISON_HEADER,
            rows: comparisonRows(benchmarksDamage),
          },
        ]
      : []),
    ...(runs.length > 1 ? [{ text: 'Each copy:', header: ['score', ...runs], rows: ofCopies }] : []),
  ];
}

const SCORED = { base: 'the base', start: 'before', end: 'repaired', control: 'replay alone' } as const;

/** Models, data and settings. */
export function factLines({ model, batch, data, settings, output }: RepairResults): string[] {
  const of = (kind: 'synthetic' | 'natural'): string => {
    const { train, select, report } = data[kind];
    return `${kind}: ${train} documents to learn from, ${select} to choose by, ${report} to report on`;
  };
  return [
    `model: ${model}`,
    output ? `repaired model: ${output}` : 'no repaired model was kept',
    of('synthetic'),
    of('natural'),
    ...(settings ? [`settings: ${JSON.stringify(settings)}`] : []),
    `batches: ${JSON.stringify(batch)}`,
  ];
}

/** Seconds of each phase, and of all. */
export const phaseRows = ({ phases, seconds }: RepairResults): string[][] => [
  ...Object.entries(phases).map(([phase, took]) => [phase, took.toFixed(1)]),
  ['all', seconds.toFixed(1)],
];
