import { distributionShift } from '@lethe/analysis';
import type { TrainRecipe } from '@lethe/train';
import type { Lineage } from '../lineage/lineage.js';
import {
  type Claim,
  claimOf,
  type ClaimText,
  ofModel,
  type Outcome,
  type PickMeasure,
  points,
  type Span,
  SPANS,
} from './claim.js';
import { differences, type Effect, mean, overRuns } from '../measures/effect.js';
import type { PaperMeasures } from '../measures/measure-model.js';
import type { Pair } from '../corpus/compared-texts.js';
import type { Regime } from '../regime.js';
import { byFact } from './knowledge.js';
import type { LineageMeasures } from '../lineage/run-lineage.js';

type Lineages = readonly LineageMeasures[];

/** Reads the claims off the measures of all seeds, as they fall. */
export const claimsOf = (lineages: Lineages, regime: Regime): Claim[] => [
  ...embeddingClaims(lineages),
  ...tokenClaims(lineages),
  ...perplexityClaims(lineages),
  ...instructionClaims(lineages),
  ...benchmarkClaims(lineages, regime),
  ...ascentClaims(lineages),
  ...budgetClaims(lineages),
];

/** The models that are fine-tuned: those that a claim about instructions compares. */
export const CHAT_MODELS = new Set(['base', 'natural', 'synth', 'refine', 'control', 'template', 'all']);

/** Of all models of the claims but the -chat ones, each after the one that it begins with. */
export const claimRecipes = (lineage: Lineage, { repairs }: Regime): TrainRecipe[] => [
  lineage.base(),
  lineage.naturalOnly(),
  lineage.synth(),
  ...lineage.refined().map((_, k) => lineage.refine(k)),
  ...Object.entries(repairs).map(([name, settings]) => lineage.repair(name, settings)),
];

/** C1: synthetic against natural text, less what two halves or two sources of natural text have. */
function embeddingClaims(lineages: Lineages): Claim[] {
  const text = { id: 'C1', paper: 'figure 2' };
  const own = (pair: Pair): number[][] => points(lineages.map(({ texts }) => texts.ownNeighbours[pair]));
  const area = (pair: Pair): number[][] => lineages.map(({ texts }) => [texts.separability[pair]]);
  return [
    claimOf(
      {
        ...text,
        claim: 'embeddings of synthetic text lie apart from those of natural text, more than halves of natural text do',
        unit: 'points of the ten nearest neighbours that are of the own kind',
      },
      differences(own('synthetic'), own('halves')),
    ),
    claimOf(
      { ...text, claim: 'and a linear classifier tells them apart', unit: 'area under its curve' },
      differences(area('synthetic'), area('halves')),
    ),
    claimOf(
      { ...text, claim: 'more than it tells two natural sources apart', unit: 'area under its curve' },
      differences(area('synthetic'), area('sources')),
    ),
  ];
}

/** C2: the densities of token ids. */
function tokenClaims(lineages: Lineages): Claim[] {
  const text = { id: 'C2', paper: 'figure 3', unit: 'bits of Jensen-Shannon divergence' };
  const divergence = (pair: Pair): number[][] => lineages.map(({ texts }) => [texts.divergence[pair]]);
  return [
    claimOf(
      {
        ...text,
        claim: 'token ids of synthetic text are distributed otherwise, more than those of halves of natural text',
      },
      differences(divergence('synthetic'), divergence('halves')),
    ),
    claimOf(
      { ...text, claim: 'more than those of two natural sources' },
      differences(divergence('synthetic'), divergence('sources')),
    ),
    claimOf(
      {
        ...text,
        claim: 'with peaks that no half of natural text has (95%)',
        unit: 'tokens in excess, less the one in twenty that chance gives',
      },
      lineages.map(({ texts }) => [texts.peaks.length - 0.05]),
    ),
  ];
}

/** Instructions in the format that is tested, and in the other one. */
const INSTRUCTION_SETS = { instructions: 'instructions', instructionsAside: 'instructions in another format' } as const;

/** C3: how log-perplexities of instructions lie, beside those of the base model. */
function perplexityClaims(lineages: Lineages): Claim[] {
  const paper = 'figure 4';
  return (['instructions', 'instructionsAside'] as const).flatMap((set) => {
    const of = INSTRUCTION_SETS[set];
    const beside = (name: string) =>
      lineages.map(({ models }) =>
        distributionShift(models[name].logPerplexities[set], models.base.logPerplexities[set]),
      );
    const shift = (name: string): number[][] => beside(name).map(({ wasserstein1 }) => [wasserstein1]);
    const spread = (name: string): number[][] => beside(name).map(({ varianceRatio }) => [Math.log(varianceRatio)]);
    const unit = 'nats per token, Wasserstein-1 against base';
    return [
      claimOf(
        {
          id: 'C3',
          claim: `synthetic data shifts the log-perplexity of ${of} more than natural data does`,
          paper,
          unit,
        },
        differences(shift('synth'), shift('natural')),
      ),
      claimOf(
        { id: 'C3', claim: `and narrows it, ${of}`, paper, unit: 'log of the ratio of variances, natural less synth' },
        differences(spread('natural'), spread('synth')),
      ),
      ...SPANS.map((span) =>
        claimOf(
          { id: 'C3', span, claim: `unlearning moves it back more than replay alone does, ${of}`, paper, unit },
          differences(shift('control'), shift(span)),
        ),
      ),
    ];
  });
}

const hsrOf = (lineages: Lineages, name: string): number[][] => ofChats(lineages, name, (measures) => measures.hsr!);
const leakOf = (lineages: Lineages, name: string): number[][] =>
  points(ofModel(lineages, name, (measures) => measures.leak));

/** A measure of the -chat models of one model: the mean over its fine-tuning runs, in points. */
function ofChats(lineages: Lineages, name: string, pick: PickMeasure): number[][] {
  return points(lineages.map(({ chats }) => overRuns(chats[name].map(pick))));
}

/** C4, C5: instruction following after fine-tuning, and the template in the answers. */
function instructionClaims(lineages: Lineages): Claim[] {
  const of = (name: string, pick: PickMeasure): number[][] => ofChats(lineages, name, pick);
  const hsr = (name: string): number[][] => hsrOf(lineages, name);
  const ssr = (name: string): number[][] => of(name, (measures) => measures.ssr!);
  const chatLeak = (name: string): number[][] => of(name, (measures) => measures.leak);
  const unit = 'points of HSR, -chat models';
  const leakUnit = 'points of answers that betray the template';
  const damage: [ClaimText, number[][]][] = [
    [
      { id: 'C4', claim: 'synthetic data costs instruction following', paper: 'FollowBench HSR 27.58 to 24.00', unit },
      differences(hsr('base'), hsr('synth')),
    ],
    [
      {
        id: 'C4',
        claim: 'and so does SSR',
        paper: 'FollowBench SSR 39.95 to 38.29',
        unit: 'points of SSR, -chat models',
      },
      differences(ssr('base'), ssr('synth')),
    ],
    [
      { id: 'C4', claim: 'more than as many tokens of natural text do', paper: 'not measured', unit },
      differences(hsr('natural'), hsr('synth')),
    ],
  ];
  const repair = SPANS.flatMap((span): [ClaimText, number[][]][] => [
    [
      {
        id: 'C5',
        span,
        claim: 'unlearning restores instruction following, against the damaged model',
        paper: 'FollowBench HSR 24.00 to 27.87',
        unit,
      },
      differences(hsr(span), hsr('synth')),
    ],
    [
      {
        id: 'C5',
        span,
        claim: 'against replay alone (forgetting weight 0, at least as many tokens)',
        paper: 'not measured',
        unit,
      },
      differences(hsr(span), hsr('control')),
    ],
    [
      { id: 'C5', span, claim: 'against refining on natural text', paper: '27.87, refine 25.22', unit },
      differences(hsr(span), hsr('refine')),
    ],
    [
      {
        id: 'C5',
        span,
        claim: 'the pattern leaves the answers of the model, more than by replay alone',
        paper: 'not measured',
        unit: leakUnit,
      },
      differences(leakOf(lineages, 'control'), leakOf(lineages, span)),
    ],
    [
      { id: 'C5', span, claim: 'and those of its -chat models', paper: 'not measured', unit: leakUnit },
      differences(chatLeak('control'), chatLeak(span)),
    ],
  ]);
  return [...damage, ...repair].map(([text, values]) => claimOf(text, values));
}

/** Points that a benchmark may lose and still be called kept: the paper's own largest loss of a benchmark it calls kept. */
const KEPT_WITHIN = 5;

/** Not lost by more than the margin: the whole interval decides. */
const asKept = ({ low, high }: Effect): Outcome =>
  low > -KEPT_WITHIN ? 'holds' : high < -KEPT_WITHIN ? 'does-not-hold' : 'cannot-tell';

/** C6: what the synthetic data taught, before and after. */
function benchmarkClaims(lineages: Lineages, regime: Regime): Claim[] {
  const knows = (name: string): number[][] => points(ofModel(lineages, name, byFact(regime)));
  const unit = 'points of accuracy';
  const taught = claimOf(
    { id: 'C6', claim: 'the synthetic data taught the benchmark', paper: 'MMLU 38.08 to 47.27', unit },
    differences(knows('synth'), knows('base')),
  );
  // What was never taught cannot be kept.
  const judge = taught.outcome === 'holds' ? asKept : (): Outcome => 'cannot-tell';
  const kept = SPANS.map((span) =>
    claimOf(
      {
        id: 'C6',
        span,
        claim: `unlearning keeps it (loses at most ${KEPT_WITHIN} points)`,
        paper: 'MMLU 47.27 to 47.53',
        unit,
      },
      differences(knows(span), knows('synth')),
      judge,
    ),
  );
  return [taught, ...kept];
}

/** C7: gradient ascent and the bounded loss, which both forget the template's tokens. */
function ascentClaims(lineages: Lineages): Claim[] {
  const text = {
    id: 'C7',
    span: 'template',
    paper: 'MMLU 39.28 with GA, 47.53',
    unit: 'nats per token of natural text',
  } as const;
  const ppl = (name: string): number[][] =>
    ofModel(lineages, name, (measures: PaperMeasures) => measures.logPerplexities.natural);
  return [
    claimOf(
      {
        ...text,
        claim: 'gradient ascent costs more natural perplexity than the bounded loss, at equal steps and weights',
      },
      differences(ppl('gaSteps'), ppl('boundedSteps')),
    ),
    claimOf(
      { ...text, claim: 'at equal forgetting: each until the pattern is gone' },
      differences(ppl('ga'), ppl('template')),
    ),
  ];
}

/** C8: what refining on natural text reaches with how many tokens. */
function budgetClaims(lineages: Lineages): Claim[] {
  const times = lineages[0].refined.at(-1)!.steps / lineages[0].refined[0].steps;
  return SPANS.flatMap((span) => [
    claimOf(
      {
        id: 'C8',
        span,
        claim: 'refining needs more tokens to bring the leak as low: at least so many, its curve ends there',
        paper: '300 times as many',
        unit: 'log2 of the ratio of tokens',
      },
      lineages.map((lineage) => [Math.log2(tokenRatio(lineage, span))]),
    ),
    claimOf(
      {
        id: 'C8',
        span,
        claim: `unlearning restores more instruction following than ${times} times the control's tokens of natural text`,
        paper: '27.87, refine 25.22',
        unit: 'points of HSR, -chat models',
      },
      differences(hsrOf(lineages, span), hsrOf(lineages, lineages[0].refined.at(-1)!.name)),
    ),
  ]);
}

/**
 * Tokens of refining over those of unlearning until the leak is as low: of the last point of the curve at which it is not
 * yet, so that the ratio is a lower bound; 1 where the first point has reached it.
 */
export function tokenRatio({ models, refined, steps }: LineageMeasures, span: Span): number {
  const leak = (name: string): number => mean(models[name].leak);
  const reached = refined.findIndex(({ name }) => leak(name) <= leak(span));
  const before = refined[(reached < 0 ? refined.length : reached) - 1];
  return before ? before.steps / steps[span] : 1;
}
