import type { ModelMeasures } from './measure.js';
import type { BeforeVerdict, Evidence, Interval, Pattern } from './results.js';
import { intervalsOf, meanOf, type Share } from './statistics.js';

/** What the verdict is made from. */
export interface BeforeMeasures {
  pattern: Pattern;
  model: ModelMeasures;
  /** What the synthetic text itself gives the pattern's tokens, by document. */
  attainable: Share[];
  base?: ModelMeasures;
}

/**
 * Shares of synthetic words below this are no pattern but words of a subject: natural text beside that of another domain (web,
 * books, encyclopedia) has 0 to 2% of them, text made by templates 7 to 45% (docs/log/2026-11-29-repair.md).
 */
const LEAST_SHARE = 0.05;
/** How many times what halves of the natural text give. */
const ABOVE_NULL = 3;
/** The part of what the text itself gives its pattern that a model must give it, to have learned it. */
const LEARNED = 0.5;
/** With a base: how many times its probability. */
const ABOVE_BASE = 1.5;
/** With fewer of the pattern's tokens nothing can be told. */
export const FEWEST_TOKENS = 100;

/** Which way an interval points from a threshold. */
export const sideOf = ({ low, high }: Interval, threshold: number): Evidence['says'] =>
  low >= threshold ? 'yes' : high < threshold ? 'no' : 'open';

/** Whether a repair is advised: whether the data have a pattern, and the model has learned it. */
export function verdictBefore(measures: BeforeMeasures): {
  verdict: BeforeVerdict;
  why: string;
  evidence: Evidence[];
} {
  const { pattern } = measures;
  const limit = Math.max(LEAST_SHARE, ABOVE_NULL * pattern.null.high);
  const inData: Evidence = {
    question: 'Does the synthetic text have a pattern that natural text lacks?',
    measure: 'share of its held-out words in phrases that many synthetic documents share',
    found: pattern.share,
    threshold: limit,
    says: sideOf(pattern.share, limit),
  };
  const numTokens = measures.model.pattern.reduce((sum, [, count]) => sum + count, 0);
  if (numTokens < FEWEST_TOKENS) {
    if (inData.says === 'no') return { ...spoken('not-advised'), evidence: [inData] };
    const why = `only ${numTokens} tokens of held-out synthetic text belong to the pattern; give more synthetic text`;
    return { verdict: 'cannot-tell', why, evidence: [inData] };
  }
  const evidence = [inData, ...learned(measures)];
  const verdict = evidence.some(({ says }) => says === 'no')
    ? 'not-advised'
    : evidence.every(({ says }) => says === 'yes')
      ? 'advised'
      : 'cannot-tell';
  return { ...spoken(verdict, evidence), evidence };
}

function learned({ model, attainable, base }: BeforeMeasures): Evidence[] {
  const documents = model.pattern.map((own, i) => ({ own, attainable: attainable[i], base: base?.pattern[i] }));
  const { learned: part, times } = intervalsOf(
    [documents],
    ([drawn]) => {
      const own = meanOf(drawn.map((document) => document.own));
      return {
        learned: own / meanOf(drawn.map((document) => document.attainable)),
        times: base ? own / meanOf(drawn.map((document) => document.base!)) : 0,
      };
    },
    'learned',
  );
  const evidence: Evidence[] = [
    {
      question: 'Has the model learned the pattern?',
      measure: "its probability of the pattern's tokens, as a part of what the synthetic text itself gives them",
      found: part,
      threshold: LEARNED,
      says: sideOf(part, LEARNED),
    },
  ];
  if (base)
    evidence.push({
      question: 'Does it come from the synthetic text?',
      measure: "its probability of the pattern's tokens, as a multiple of the base model's",
      found: times,
      threshold: ABOVE_BASE,
      says: sideOf(times, ABOVE_BASE),
    });
  return evidence;
}

/** The verdict in words. */
function spoken(verdict: BeforeVerdict, evidence: readonly Evidence[] = []): { verdict: BeforeVerdict; why: string } {
  const first = evidence.find(({ says }) => says === (verdict === 'not-advised' ? 'no' : 'open'));
  const why = {
    advised: 'the synthetic text has a pattern of its own, and the model has learned it',
    'not-advised':
      first && first !== evidence[0]
        ? 'the synthetic text has a pattern, and it has little hold on this model'
        : 'the synthetic text has no pattern beyond what two natural texts may differ in',
    'cannot-tell': `an interval lies on both sides of its threshold (${first?.measure ?? ''}); give more held-out text`,
  }[verdict];
  return { verdict, why };
}
