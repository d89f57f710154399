import type { Score } from '@lethe/eval';
import type { ModelMeasures } from './measure.js';
import { shiftsAgainst } from './measure.js';
import type { DemoModel } from './stages.js';

/** What the numbers say of one claim of the paper. */
export interface Verdict {
  claim: string;
  /** holds: as the paper says. not: the other way round, or no change. unclear: within the intervals. */
  outcome: 'holds' | 'not' | 'unclear';
  detail: string;
}

/** Accuracy of guessing among four choices. */
const CHANCE = 0.25;

type Measures = Record<DemoModel, ModelMeasures>;

const percent = ({ value, low, high }: Score): string =>
  `${(100 * value).toFixed(1)}% [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;

/** Compares two scores by their intervals: unclear where they overlap. */
function compare(higher: Score, lower: Score): Verdict['outcome'] {
  if (higher.low > lower.high) return 'holds';
  return higher.high < lower.low ? 'not' : 'unclear';
}

/** A score that chance explains cannot be kept or lost. */
function keptBenchmark(before: Score, after: Score): Verdict['outcome'] {
  if (before.low <= CHANCE) return 'unclear';
  return after.high >= before.low ? 'holds' : 'not';
}

const outcome = (isSo: boolean): Verdict['outcome'] => (isSo ? 'holds' : 'not');

/** Reads the claims that the demo tests off its measurements, as they fall. */
export function verdicts(measures: Measures): Verdict[] {
  const { base, synth, unlearn, ga, refine } = measures;
  const shift = (of: ModelMeasures): ReturnType<typeof shiftsAgainst>['natural'] =>
    shiftsAgainst(of, base).instructions;
  const [synthShift, unlearnShift] = [shift(synth), shift(unlearn)];
  const chat = (model: DemoModel): Score => measures[model].instructions!.hsr;
  const [baseChat, synthChat, unlearnChat] = [chat('base-chat'), chat('synth-chat'), chat('unlearn-chat')];
  const number = (x: number): string => x.toFixed(3);
  return [
    {
      claim: 'C3: synthetic data shifts the perplexity of instruction text and narrows its spread',
      outcome: outcome(synthShift.wasserstein1 > 0.05 && synthShift.varianceRatio < 1),
      detail: `synth against base: Wasserstein-1 ${number(synthShift.wasserstein1)}, variance ratio ${number(synthShift.varianceRatio)}`,
    },
    {
      claim: 'C3: unlearning moves the distribution back towards base',
      outcome: outcome(unlearnShift.wasserstein1 < synthShift.wasserstein1),
      detail: `Wasserstein-1 against base: synth ${number(synthShift.wasserstein1)}, unlearn ${number(unlearnShift.wasserstein1)}, refine ${number(shift(refine).wasserstein1)}`,
    },
    {
      claim: 'C4: instruction following is worse after fine-tuning synth than after fine-tuning base',
      outcome: compare(baseChat, synthChat),
      detail: `HSR: base-chat ${percent(baseChat)}, synth-chat ${percent(synthChat)}`,
    },
    {
      claim: 'C5: unlearning restores instruction following',
      outcome: compare(unlearnChat, synthChat),
      detail: `HSR: unlearn-chat ${percent(unlearnChat)}, synth-chat ${percent(synthChat)}, refine-chat ${percent(chat('refine-chat'))}`,
    },
    {
      claim: 'C6: unlearning keeps the benchmark score',
      outcome: keptBenchmark(synth.benchmark.micro, unlearn.benchmark.micro),
      detail: `accuracy: base ${percent(base.benchmark.micro)}, synth ${percent(synth.benchmark.micro)}, unlearn ${percent(unlearn.benchmark.micro)} (chance 25%)`,
    },
    {
      claim: 'C7: gradient ascent damages the model more than the bounded loss',
      outcome: outcome(ga.perplexity.natural > 1.05 * unlearn.perplexity.natural),
      detail: `perplexity of natural text: synth ${synth.perplexity.natural.toFixed(2)}, unlearn ${unlearn.perplexity.natural.toFixed(2)}, ga ${ga.perplexity.natural.toFixed(2)}`,
    },
    {
      claim: 'the template loses its hold: less probability on its tokens after unlearning than in synth',
      outcome: outcome(unlearn.templateMass.instructions < synth.templateMass.instructions),
      detail: `mass on template tokens in instruction text: base ${number(base.templateMass.instructions)}, synth ${number(synth.templateMass.instructions)}, unlearn ${number(unlearn.templateMass.instructions)}, refine ${number(refine.templateMass.instructions)}`,
    },
  ];
}
