import { knowsContent, type ModelMeasures } from './measure.js';
import type { AfterVerdict, Evidence, Interval } from './results.js';
import { intervalsOf, meanOf } from './statistics.js';
import { FEWEST_TOKENS, sideOf } from './verdict-before.js';

/** Measures of the model before, after, and of replay alone with as many tokens. */
export type Compared = Record<'start' | 'end' | 'control', ModelMeasures>;

/** How many times below replay alone the pattern must come. */
const LEAST_GAIN = 3;
/** Natural perplexity as a multiple of the control's, at most. */
const MOST_PRICE = 1.02;
/** The same of the model before: beyond this the repaired model is worse than the damaged one at its own trade. */
const MOST_RISE = 1.05;
/** The part of the probability of what the synthetic text says that must be left: below it knowledge goes (docs/log/2026-11-29-repair.md). */
const LEAST_KEPT = 0.8;
/** Below this a repair did nothing that replay alone does not. */
const NOTHING = 1.2;

/** How the models compare, and what that says. */
export interface AfterFound {
  verdict: AfterVerdict;
  why: string;
  advice: string;
  evidence: Evidence[];
  /** `contentKept` is null where the synthetic text says next to nothing. */
  price: { againstControl: Interval; againstStart: Interval; contentKept: Interval | null };
}

/**
 * Whether the repair worked, by held-out documents that nothing was chosen by.
 * @param kept whether each benchmark is kept, where there are any.
 * @param isLimited whether the run ended where it did for its costs, and not for its steps.
 */
export function verdictAfter(measures: Compared, kept: readonly Evidence[] = [], isLimited = false): AfterFound {
  const { gain, control: againstControl, start: againstStart } = compare(measures);
  const contentKept = keptContent(measures);
  const evidence: Evidence[] = [
    {
      question: 'Is the pattern gone, by more than replay alone does?',
      measure: "probability of the pattern's tokens after replay alone, as a multiple of that after the repair",
      found: gain,
      threshold: LEAST_GAIN,
      says: sideOf(gain, LEAST_GAIN),
    },
    {
      question: 'Is natural text kept as replay alone keeps it?',
      measure: 'natural perplexity after the repair, as a multiple of that after replay alone',
      found: againstControl,
      threshold: MOST_PRICE,
      says: atMost(againstControl, MOST_PRICE),
    },
    {
      question: 'Is natural text kept as the model had it?',
      measure: 'natural perplexity after the repair, as a multiple of that before',
      found: againstStart,
      threshold: MOST_RISE,
      says: atMost(againstStart, MOST_RISE),
    },
    ...(contentKept ? [contentEvidence(contentKept)] : []),
    ...kept,
  ];
  return { ...judge(evidence, isLimited), evidence, price: { againstControl, againstStart, contentKept } };
}

const CONTENT = 'Is what the synthetic text says kept?';

const contentEvidence = (found: Interval): Evidence => ({
  question: CONTENT,
  measure: 'probability of its words that are not the pattern’s after the repair, as a part of that before',
  found,
  threshold: LEAST_KEPT,
  says: sideOf(found, LEAST_KEPT),
});

/** The part of the probability of what the synthetic text says that is left; null where it says, or the model knows of it, next to nothing. */
function keptContent({ start, end }: Compared): Interval | null {
  const documents = start.content.map((own, i) => ({ start: own, end: end.content[i] }));
  const numTokens = start.content.reduce((sum, [, count]) => sum + count, 0);
  if (numTokens < FEWEST_TOKENS || !knowsContent(start.content)) return null;
  return intervalsOf(
    [documents],
    ([drawn]) => ({ kept: meanOf(drawn.map((one) => one.end)) / meanOf(drawn.map((one) => one.start)) }),
    'kept',
  ).kept;
}

const atMost = ({ low, high }: Interval, threshold: number): Evidence['says'] =>
  high <= threshold ? 'yes' : low > threshold ? 'no' : 'open';

function compare({ start, end, control }: Compared): Record<'gain' | 'control' | 'start', Interval> {
  const synthetic = start.pattern.map((_, i) => ({ end: end.pattern[i], control: control.pattern[i] }));
  const natural = start.natural.map((own, i) => ({ start: own, end: end.natural[i], control: control.natural[i] }));
  const { gain } = intervalsOf(
    [synthetic],
    ([drawn]) => ({ gain: meanOf(drawn.map((one) => one.control)) / meanOf(drawn.map((one) => one.end)) }),
    'gain',
  );
  const prices = intervalsOf(
    [natural],
    ([drawn]) => {
      const loss = (which: 'start' | 'end' | 'control'): number => meanOf(drawn.map((one) => one[which]));
      return { control: Math.exp(loss('end') - loss('control')), start: Math.exp(loss('end') - loss('start')) };
    },
    'price',
  );
  return { gain, ...prices };
}

function judge(
  [gain, price, rise, ...others]: Evidence[],
  isLimited: boolean,
): Pick<AfterFound, 'verdict' | 'why' | 'advice'> {
  const content = others.find(({ question }) => question === CONTENT);
  const kept = others.filter((one) => one !== content);
  if (price.says === 'no' || rise.says === 'no')
    return {
      verdict: 'not-repaired',
      why: 'the pattern was fought at the cost of natural text: do not use this model',
      advice: 'give more natural text, of the kinds that the model is to keep, or a larger --budget',
    };
  if (content?.says === 'no')
    return {
      verdict: 'not-repaired',
      why: 'the model has lost a part of what the synthetic text taught it: do not use it where that matters',
      advice: 'give natural text that says the same in other words, or a smaller --budget, which ends sooner',
    };
  const lost = kept.filter(({ says }) => says === 'no').map(({ name }) => name);
  if (lost.length > 0)
    return {
      verdict: 'not-repaired',
      why: `the model has lost ${lost.join(' and ')}: do not use it`,
      advice: 'give natural text that holds what these ask for',
    };
  if (gain.found.high < NOTHING)
    return {
      verdict: 'not-repaired',
      why: 'the repair did nothing that replay alone does not do',
      advice: 'give a larger --budget, or more synthetic text',
    };
  if (gain.says === 'no')
    return {
      verdict: 'not-repaired',
      why: 'the pattern is weaker, and not gone',
      advice: isLimited
        ? 'look at the settings that were tried: what goes further costs more than is allowed; natural text that says in other words what ' +
          'the synthetic text says, and of the kinds that the model had before, makes it cheaper'
        : 'give a larger --budget: the run ended before the goal',
    };
  if ([gain, price, rise, ...(content ? [content] : [])].every(({ says }) => says === 'yes'))
    return {
      verdict: 'repaired',
      why: content
        ? 'the pattern is gone, which replay alone does not do; natural text and what the synthetic text says are kept'
        : 'the pattern is gone, which replay alone does not do, and natural text is kept',
      advice:
        kept.length > 0
          ? 'use the repaired model; benchmarks whose answer is "cannot tell" need more items'
          : 'score it and the model from before on what they are for, fine-tuned where they will be: --eval RECIPE; this verdict does ' +
            'not say whether it follows instructions better',
    };
  return {
    verdict: 'cannot-tell',
    why: 'an interval lies on both sides of its threshold',
    advice: 'give more text, so that more of it is held out',
  };
}
