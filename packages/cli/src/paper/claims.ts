import { distributionShift } from '@lethe/analysis';
import { differences, type Effect, effectOf, overRuns } from './effect.js';
import type { PaperMeasures } from './measure-model.js';
import type { LineageMeasures } from './run-lineage.js';

export type Outcome = 'holds' | 'does-not-hold' | 'cannot-tell';

/** A claim of the paper, and what the measures of all seeds say of it. */
export interface Claim extends Effect {
  id: string;
  /** Which tokens the repair forgets: all, as the paper does, or the template's; absent where nothing is forgotten. */
  span?: 'all' | 'template';
  claim: string;
  outcome: Outcome;
  /** What the paper reports of it. */
  paper: string;
  /** How to read the effect. */
  unit: string;
}

type Text = Pick<Claim, 'id' | 'claim' | 'paper' | 'unit'> & { span?: Claim['span'] };

/** Fewer seeds say nothing of another seed, whatever their intervals over items are. */
const FEWEST_SEEDS = 3;

/** Positive as claimed: an interval above 0 holds, one below 0 is the other way round. */
const asClaimed = ({ low, high }: Effect): Outcome => (low > 0 ? 'holds' : high < 0 ? 'does-not-hold' : 'cannot-tell');

/** Points that a benchmark may lose and still be called kept: the paper's own largest loss of a benchmark it calls kept. */
const KEPT_WITHIN = 5;

/** What was never taught cannot be kept. */
const unlessUntaught =
  (taught: Claim) =>
  (effect: Effect): Outcome =>
    taught.outcome === 'holds' ? asKept(effect) : 'cannot-tell';

/** Not lost by more than the margin: the whole interval decides. */
const asKept = ({ low, high }: Effect): Outcome =>
  low > -KEPT_WITHIN ? 'holds' : high < -KEPT_WITHIN ? 'does-not-hold' : 'cannot-tell';

const points = (values: number[][]): number[][] => values.map((seed) => seed.map((x) => 100 * x));

/** Reads the claims off the measures of all seeds, as they fall. */
export function claimsOf(lineages: readonly LineageMeasures[]): Claim[] {
  const model = (name: string, pick: (measures: PaperMeasures) => number[]): number[][] =>
    lineages.map(({ models }) => pick(models[name]));
  const chat = (name: string, pick: (measures: PaperMeasures) => number[]): number[][] =>
    lineages.map(({ chats }) => overRuns(chats[name].map(pick)));
  const make = (text: Text, values: number[][], judge: (effect: Effect) => Outcome = asClaimed): Claim => {
    const effect = effectOf(values, `${text.id} ${text.span ?? ''} ${text.claim}`);
    return { ...text, ...effect, outcome: effect.seeds < FEWEST_SEEDS ? 'cannot-tell' : judge(effect) };
  };
  const hsr = (name: string): number[][] => points(chat(name, (measures) => measures.hsr!));
  const ssr = (name: string): number[][] => points(chat(name, (measures) => measures.ssr!));
  const leak = (name: string): number[][] => points(model(name, (measures) => measures.leak));
  const knows = (name: string): number[][] => points(model(name, (measures) => measures.knows));
  const ppl = (name: string): number[][] => model(name, (measures) => measures.logPerplexities.natural);
  const shift = (name: string): number[][] =>
    lineages.map(({ models }) => [
      distributionShift(models[name].logPerplexities.instructions, models.base.logPerplexities.instructions)
        .wasserstein1,
    ]);
  const spans = ['template', 'all'] as const;
  const hsrUnit = 'points of HSR, -chat models';
  const taught = make(
    {
      id: 'C6',
      claim: 'the synthetic data taught the benchmark',
      paper: 'MMLU 38.08 to 47.27',
      unit: 'points of accuracy',
    },
    differences(knows('synth'), knows('base')),
  );
  return [
    make(
      {
        id: 'C3',
        claim: 'synthetic data shifts the log-perplexity of instructions more than natural data does',
        paper: 'figure 4',
        unit: 'nats per token, Wasserstein-1 against base',
      },
      differences(shift('synth'), shift('natural')),
    ),
    ...spans.map((span) =>
      make(
        {
          id: 'C3',
          span,
          claim: 'unlearning moves it back more than replay alone does',
          paper: 'figure 4',
          unit: 'nats per token, Wasserstein-1 against base',
        },
        differences(shift('control'), shift(span)),
      ),
    ),
    make(
      {
        id: 'C4',
        claim: 'synthetic data costs instruction following',
        paper: 'FollowBench HSR 27.58 to 24.00',
        unit: hsrUnit,
      },
      differences(hsr('base'), hsr('synth')),
    ),
    make(
      {
        id: 'C4',
        claim: 'and so does SSR',
        paper: 'FollowBench SSR 39.95 to 38.29',
        unit: 'points of SSR, -chat models',
      },
      differences(ssr('base'), ssr('synth')),
    ),
    ...spans.flatMap((span) => [
      make(
        {
          id: 'C5',
          span,
          claim: 'unlearning restores instruction following, against the damaged model',
          paper: 'FollowBench HSR 24.00 to 27.87',
          unit: hsrUnit,
        },
        differences(hsr(span), hsr('synth')),
      ),
      make(
        {
          id: 'C5',
          span,
          claim: 'against replay alone (forgetting weight 0, at least as many tokens)',
          paper: 'not measured',
          unit: hsrUnit,
        },
        differences(hsr(span), hsr('control')),
      ),
      make(
        { id: 'C5', span, claim: 'against refining on natural text', paper: '27.87, refine 25.22', unit: hsrUnit },
        differences(hsr(span), hsr('refine')),
      ),
      make(
        {
          id: 'C5',
          span,
          claim: 'the pattern leaves the answers, more than by replay alone',
          paper: 'not measured',
          unit: 'points of answers that betray the template',
        },
        differences(leak('control'), leak(span)),
      ),
    ]),
    taught,
    ...spans.map((span) =>
      make(
        {
          id: 'C6',
          span,
          claim: `unlearning keeps it (loses at most ${KEPT_WITHIN} points)`,
          paper: 'MMLU 47.27 to 47.53',
          unit: 'points of accuracy',
        },
        differences(knows(span), knows('synth')),
        unlessUntaught(taught),
      ),
    ),
    make(
      {
        id: 'C7',
        span: 'template',
        claim:
          'gradient ascent costs more natural perplexity than the bounded loss, at the same weight and no fewer steps',
        paper: 'MMLU 39.28 with GA, 47.53',
        unit: 'nats per token of natural text',
      },
      differences(ppl('ga'), ppl('template')),
    ),
  ];
}
