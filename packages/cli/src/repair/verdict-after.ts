import type { BenchmarkEvidence } from './benchmarks.js';
import { knowsContent, type ModelMeasures } from './measure.js';
import type { AfterVerdict, Evidence, FollowedScore, Interval } from './results.js';
import { intervalsOf, meanOf } from './statistics.js';
import { FEWEST_TOKENS, sideOf } from './verdict-before.js';

/** Measures of the model before, after, and of replay alone with as many tokens. */
export type Compared = Record<'start' | 'end' | 'control', ModelMeasures>;

/** How many times below replay alone the pattern must come. */
const LEAST_GAIN = 3;
/** Natural perplexity as a multiple of the control's, at most; the second where instructions are surely followed better. */
const [MOST_PRICE, MOST_PRICE_FOLLOWED] = [1.02, 1.03];
/** The same of the model before: beyond this the repaired model is worse than the damaged one at its own trade. */
const MOST_RISE = 1.05;
/** The part of the probability of what the synthetic text says that must be left: below it knowledge goes (docs/log/2026-11-29-repair.md). */
const LEAST_KEPT = 0.8;
/** Below this a repair did nothing that replay alone does not. */
const NOTHING = 1.2;
const NO_BENCHMARKS: BenchmarkEvidence = { kept: [], followed: [], unanswered: [] };

/** How the models compare, and what that says. */
export interface AfterFound {
  verdict: AfterVerdict;
  why: string;
  advice: string;
  evidence: Evidence[];
  /** Of each benchmark of instructions that some model follows. */
  followed: FollowedScore[];
  /** `contentKept` is null where the synthetic text says next to nothing. */
  price: { againstControl: Interval; againstStart: Interval; contentKept: Interval | null };
}

/**
 * Whether the repair worked, by held-out documents that nothing was chosen by.
 * @param benchmarks what they say, where there are any.
 * @param isLimited whether the run ended where it did for its costs, and not for its steps.
 */
export function verdictAfter(
  measures: Compared,
  benchmarks: BenchmarkEvidence = NO_BENCHMARKS,
  isLimited = false,
): AfterFound {
  const { gain, control: againstControl, start: againstStart } = compare(measures);
  const mostPrice = isFollowedBetter(benchmarks) ? MOST_PRICE_FOLLOWED : MOST_PRICE;
  const contentKept = keptContent(measures);
  const found = {
    gain: {
      question: 'Is the pattern gone, by more than replay alone does?',
      measure: "probability of the pattern's tokens after replay alone, as a multiple of that after the repair",
      found: gain,
      threshold: LEAST_GAIN,
      says: sideOf(gain, LEAST_GAIN),
    },
    price: {
      question: 'Is natural text kept as replay alone keeps it?',
      measure: 'natural perplexity after the repair, as a multiple of that after replay alone',
      found: againstControl,
      threshold: mostPrice,
      says: atMost(againstControl, mostPrice),
    },
    rise: {
      question: 'Is natural text kept as the model had it?',
      measure: 'natural perplexity after the repair, as a multiple of that before',
      found: againstStart,
      threshold: MOST_RISE,
      says: atMost(againstStart, MOST_RISE),
    },
    ...(contentKept && { content: contentEvidence(contentKept) }),
  };
  const { kept, followed } = benchmarks;
  const evidence = [
    ...Object.values(found),
    ...kept,
    ...followed.flatMap(({ gained, besideControl }) => [gained, besideControl]),
  ];
  const judged = judge({ ...found, benchmarks, isLimited });
  return {
    ...judged,
    evidence,
    followed: followed.map(({ gained, besideControl, lost }) => ({
      name: gained.name!,
      lost,
      gained: gained.found,
      besideControl: besideControl.found,
    })),
    price: { againstControl, againstStart, contentKept },
  };
}

/** Whether the model surely follows more of a benchmark than before and than by replay alone, and of none less. */
const isFollowedBetter = ({ followed }: BenchmarkEvidence): boolean =>
  followed.some(({ gained, besideControl }) => gained.says === 'yes' && besideControl.says === 'yes') &&
  followed.every(({ gained, besideControl }) => gained.says !== 'no' && besideControl.says !== 'no');

const contentEvidence = (found: Interval): Evidence => ({
  question: 'Is what the synthetic text says kept?',
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

/** What is judged: the questions, and why the run ended where it did. */
interface Judged {
  gain: Evidence;
  price: Evidence;
  rise: Evidence;
  content?: Evidence;
  benchmarks: BenchmarkEvidence;
  isLimited: boolean;
}

type Verdict = Pick<AfterFound, 'verdict' | 'why' | 'advice'>;

function judge(found: Judged): Verdict {
  return costsTooMuch(found) ?? followsLess(found.benchmarks) ?? leavesThePattern(found) ?? allIsWell(found);
}

const notRepaired = (why: string, advice: string): Verdict => ({ verdict: 'not-repaired', why, advice });

const namesOf = (evidence: readonly Evidence[]): string => evidence.map(({ name }) => name).join(' and ');

function costsTooMuch({ price, rise, content, benchmarks }: Judged): Verdict | undefined {
  if (price.says === 'no' || rise.says === 'no')
    return notRepaired(
      'the pattern was fought at the cost of natural text: do not use this model',
      'give more natural text, of the kinds that the model is to keep, or a larger --budget',
    );
  if (content?.says === 'no')
    return notRepaired(
      'the model has lost a part of what the synthetic text taught it: do not use it where that matters',
      'give natural text that says the same in other words, or a smaller --budget, which ends sooner',
    );
  const lost = benchmarks.kept.filter(({ says }) => says === 'no');
  if (lost.length === 0) return undefined;
  return notRepaired(
    `the model has lost ${namesOf(lost)}: do not use it`,
    'give natural text that holds what these ask for',
  );
}

/** Of what a repair is to give back, it took something, or replay alone gives more. */
function followsLess({ followed }: BenchmarkEvidence): Verdict | undefined {
  const [less, behind] = [
    followed.map(({ gained }) => gained).filter(({ says }) => says === 'no'),
    followed.map(({ besideControl }) => besideControl).filter(({ says }) => says === 'no'),
  ];
  if (less.length > 0)
    return notRepaired(
      `the score of ${namesOf(less)} is lower than before: do not use it`,
      'where the synthetic text is itself instructions, forgetting its pattern can take the manner of answering with it: natural text ' +
        'alone, or instructions among the natural text, may do more',
    );
  if (behind.length === 0) return undefined;
  return notRepaired(
    `replay alone has the higher score of ${namesOf(behind)}`,
    'take the model of replay alone, in runs/ of this repair (control-..), or train on natural text for longer',
  );
}

function leavesThePattern({ gain, isLimited }: Judged): Verdict | undefined {
  if (gain.found.high < NOTHING)
    return notRepaired(
      'the repair did nothing that replay alone does not do',
      'give a larger --budget, or more synthetic text',
    );
  if (gain.says !== 'no') return undefined;
  return notRepaired(
    'the pattern is weaker, and not gone',
    isLimited
      ? 'look at the settings that were tried: what goes further costs more than is allowed; natural text that says in other words what ' +
          'the synthetic text says, and of the kinds that the model had before, makes it cheaper'
      : 'give a larger --budget: the run ended before the goal',
  );
}

function allIsWell({ gain, price, rise, content, benchmarks }: Judged): Verdict {
  if ([gain, price, rise, content].some((one) => one !== undefined && one.says !== 'yes'))
    return {
      verdict: 'cannot-tell',
      why: 'an interval lies on both sides of its threshold',
      advice: 'give more text, so that more of it is held out',
    };
  const gone = content
    ? 'the pattern is gone, which replay alone does not do; natural text and what the synthetic text says are kept'
    : 'the pattern is gone, which replay alone does not do, and natural text is kept';
  const { followed, kept } = benchmarks;
  if (followed.length === 0) return { verdict: 'repaired', why: gone, advice: adviceWithoutFollowing(benchmarks) };
  const more = followed.filter(({ gained }) => gained.says === 'yes');
  if (more.length === 0)
    return {
      verdict: 'cannot-tell',
      why: `${gone}; whether the score of ${namesOf(followed.map(({ gained }) => gained))} is higher than before cannot be told`,
      advice: 'give more instructions, or more fine-tuning runs (--finetune-runs)',
    };
  const isBeside = more.some(({ besideControl }) => besideControl.says === 'yes');
  const than = isBeside ? 'than before and than by replay alone' : 'than before';
  return {
    verdict: 'repaired',
    why: `${gone}; the score of ${namesOf(more.map(({ gained }) => gained))} is higher ${than}`,
    advice: isBeside
      ? `use the repaired model${kept.some(({ says }) => says === 'open') ? '; benchmarks whose answer is "cannot tell" need more items' : ''}`
      : 'use the repaired model, or that of replay alone (runs/control-..), which may follow as much: more instructions tell them apart',
  };
}

/** What to do next where no benchmark tells whether instructions are followed better. */
function adviceWithoutFollowing({ kept, unanswered }: BenchmarkEvidence): string {
  if (unanswered.length > 0)
    return (
      `no model follows anything of ${unanswered.join(' and ')}, so this verdict does not say whether instructions are followed better: ` +
      'ask fine-tuned models, --finetune RECIPE'
    );
  return kept.length > 0
    ? 'use the repaired model; benchmarks whose answer is "cannot tell" need more items'
    : 'see what the model follows, fine-tuned as it will be: --finetune RECIPE --instructions FILE; this verdict does not say whether it ' +
        'follows instructions better';
}
